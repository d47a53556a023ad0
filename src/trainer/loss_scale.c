/* loss_scale.c -- the scale of a run's gradients over the steps. */
#include "config.h"
#include "trainer/loss_scale.h"
#include "model/model.h"

#include "base/banned.h"

/* PyTorch's growth interval; 65536 is where it begins. Float gradients would stand more, halves in a kernel would not. */
enum { GROWTH_STEPS = 2000, LARGEST = 65536 };

static uint64_t bit_of(uint64_t step)
{
    return (uint64_t)1 << step % TGI_STEPS_UNDER_WAY;
}

void tgi_loss_scale_arrived(tgi_loss_scale *s, uint64_t step, bool has_overflowed)
{
    if (has_overflowed)
        s->skipped |= bit_of(step);
}

static void change(tgi_loss_scale *s, double scale, uint64_t step)
{
    s->scale = scale;
    s->begun = step;
    s->n_good = 0;
}

double tgi_loss_scale_for(tgi_loss_scale *s, uint64_t step)
{
    uint64_t counted = step - TGI_STEPS_UNDER_WAY;
    bool has_overflowed = s->skipped & bit_of(counted);

    s->skipped &= ~bit_of(counted);
    if (step <= TGI_STEPS_UNDER_WAY || counted < s->begun)
        return s->scale;
    if (has_overflowed)
        change(s, s->scale > 1 ? s->scale / 2 : 1, step);
    else if (++s->n_good >= GROWTH_STEPS && s->scale < LARGEST)
        change(s, s->scale * 2, step);
    return s->scale;
}

void tgi_loss_scale_go_back(tgi_loss_scale *s, uint64_t step)
{
    s->begun = step;
    s->skipped = 0;
}

bool tgi_loss_scale_is_least(const tgi_loss_scale *s, uint64_t step)
{
    return s->scale <= 1 && step >= s->begun;
}
