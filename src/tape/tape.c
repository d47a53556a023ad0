/* tape.c -- the record itself: vars, nodes, the way back, the tangent pass. */
#include "config.h"
#include "base/memory.h"
#include "tape/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

/* Vars and nodes live in chunks that keep their place, so that pointers hold and a reset gives nothing back to the heap. */
enum { CHUNK = 256 };

typedef struct store {
    char **chunks;
    size_t n_chunks, chunks_capacity, used, item_bytes;
} store;

struct tgi_tape {
    tg_device *dev;
    store vars, nodes;
    bool spends; /* backward gives values back */
    float scale; /* of the losses' gradients */
    tgi_precision precision;
};

static tg_status store_next(store *s, void *out)
{
    tg_status status = TG_OK;
    size_t chunk = s->used / CHUNK;
    void *item;

    if (chunk == s->n_chunks) {
        TG_TRY(tgi_grow(&s->chunks, &s->chunks_capacity, chunk + 1, sizeof *s->chunks));
        TG_TRY(tgi_alloc(CHUNK, s->item_bytes, &s->chunks[chunk]));
        s->n_chunks++;
    }
    item = s->chunks[chunk] + s->used % CHUNK * s->item_bytes;
    memset(item, 0, s->item_bytes);
    memcpy(out, &item, sizeof item);
    s->used++;
cleanup:
    return status;
}

static void *store_at(const store *s, size_t i)
{
    return s->chunks[i / CHUNK] + i % CHUNK * s->item_bytes;
}

static void store_free(store *s)
{
    for (size_t i = 0; i < s->n_chunks; i++)
        free(s->chunks[i]);
    free(s->chunks);
}

tg_status tgi_tape_new(tg_device *dev, tgi_tape **out)
{
    tg_status status = tgi_alloc(1, sizeof **out, out);

    if (status == TG_OK) {
        (*out)->dev = dev;
        (*out)->vars.item_bytes = sizeof(tgi_var);
        (*out)->nodes.item_bytes = sizeof(tgi_node);
        (*out)->scale = 1;
    }
    return status;
}

void tgi_tape_reset(tgi_tape *tape)
{
    for (size_t i = 0; i < tape->nodes.used; i++) {
        tgi_node *node = store_at(&tape->nodes, i);

        for (int k = 0; k < TGI_MAX_SAVED; k++)
            tg_tensor_free(node->saved[k]);
    }
    for (size_t i = 0; i < tape->vars.used; i++) {
        tgi_var *var = store_at(&tape->vars, i);

        tg_tensor_free(var->half);
        if (var->owns_value)
            tg_tensor_free(var->value);
        if (var->owns_grad)
            tg_tensor_free(var->grad);
    }
    tape->vars.used = tape->nodes.used = 0;
}

void tgi_tape_free(tgi_tape *tape)
{
    if (!tape)
        return;
    tgi_tape_reset(tape);
    store_free(&tape->vars);
    store_free(&tape->nodes);
    free(tape);
}

tg_device *tgi_tape_device(const tgi_tape *tape)
{
    return tape->dev;
}

void tgi_tape_spend_values(tgi_tape *tape)
{
    tape->spends = true;
}

bool tgi_tape_spends(const tgi_tape *tape)
{
    return tape->spends;
}

void tgi_tape_set_scale(tgi_tape *tape, float scale)
{
    tape->scale = scale;
}

float tgi_tape_scale_of(const tgi_tape *tape)
{
    return tape->scale;
}

void tgi_tape_set_precision(tgi_tape *tape, tgi_precision precision)
{
    tape->precision = precision;
}

tgi_precision tgi_tape_precision_of(const tgi_tape *tape)
{
    return tape->precision;
}

tgi_tape_mark tgi_tape_here(const tgi_tape *tape)
{
    return (tgi_tape_mark){tape->vars.used, tape->nodes.used};
}

tgi_var *tgi_tape_var_at(const tgi_tape *tape, size_t i)
{
    return store_at(&tape->vars, i);
}

tgi_node *tgi_tape_node_at(const tgi_tape *tape, size_t i)
{
    return store_at(&tape->nodes, i);
}

tg_status tgi_tape_leaf(tgi_tape *tape, tg_tensor *value, bool needs_grad, tgi_var **out)
{
    tg_status status = store_next(&tape->vars, out);

    if (status == TG_OK) {
        (*out)->value = value;
        (*out)->needs_grad = needs_grad;
    }
    return status;
}

tg_status tgi_tape_param(tgi_tape *tape, const tgi_param *param, bool is_trainable, tgi_var **out)
{
    tg_status status = tgi_tape_leaf(tape, param->value, is_trainable, out);

    if (status == TG_OK)
        (*out)->grad_home = param->grad;
    return status;
}

tg_status tgi_tape_grad(tgi_tape *tape, tgi_var *var, tg_tensor **grad)
{
    tg_status status = TG_OK;

    if (!var->grad && var->grad_home)
        var->grad = var->grad_home;
    if (!var->grad) {
        TG_TRY(tg_tensor_new_zero(tape->dev, var->value->dims, &var->grad));
        var->owns_grad = true;
    }
    *grad = var->grad;
cleanup:
    return status;
}

tg_status tgi_tape_wanted(tgi_tape *tape, tgi_var *var, tg_tensor **grad)
{
    *grad = NULL;
    return var && var->needs_grad ? tgi_tape_grad(tape, var, grad) : TG_OK;
}

tg_status tgi_tape_claim(tgi_tape *tape, tgi_var *var, tg_tensor **grad, tgi_write *write)
{
    tg_status status = TG_OK;

    *grad = NULL;
    *write = TGI_ADD;
    if (!var || !var->needs_grad)
        return TG_OK;
    if (var->grad || var->grad_home)
        return tgi_tape_grad(tape, var, grad);
    TG_TRY(tg_tensor_new(tape->dev, var->value->dims, &var->grad));
    var->owns_grad = true;
    *grad = var->grad;
    *write = TGI_SET;
cleanup:
    return status;
}

tg_status tgi_tape_give(tgi_tape *tape, tgi_node *node, tgi_var *to)
{
    tg_status status = TG_OK;
    tg_tensor *grad;
    tgi_write write;

    if (to->needs_grad && !to->grad && !to->grad_home && node->out->owns_grad) {
        to->grad = node->out->grad;
        to->owns_grad = true;
        node->out->grad = NULL;
        node->out->owns_grad = false;
        return TG_OK;
    }
    TG_TRY(tgi_tape_claim(tape, to, &grad, &write));
    if (grad)
        TG_TRY(write == TGI_SET ? tgi_tensor_copy(node->out->grad, grad)
                                : tg_accumulate(node->out->grad, 1, grad));
cleanup:
    return status;
}

/* A node for an operation of `in` that gives `var`; NULL when no gradient is wanted. */
static tg_status remember(tgi_tape *tape, const tgi_node_kind *kind,
                          tgi_var *const in[TGI_MAX_INPUTS], tgi_var *var, tgi_node **node)
{
    tg_status status = TG_OK;

    *node = NULL;
    for (int i = 0; i < TGI_MAX_INPUTS; i++)
        var->needs_grad |= in[i] && in[i]->needs_grad;
    if (!var->needs_grad)
        return TG_OK;
    TG_TRY(store_next(&tape->nodes, node));
    (*node)->kind = kind;
    (*node)->out = var;
    memcpy((*node)->in, in, sizeof(*node)->in);
cleanup:
    return status;
}

tg_status tgi_tape_record(tgi_tape *tape, const tgi_node_kind *kind,
                          tgi_var *const in[TGI_MAX_INPUTS], tg_dims dims, tgi_var **out,
                          tgi_node **node)
{
    tg_status status = TG_OK;
    tgi_var *var = NULL;

    *node = NULL;
    TG_TRY(store_next(&tape->vars, &var));
    TG_TRY(tg_tensor_new(tape->dev, dims, &var->value));
    var->owns_value = true;
    *out = var;
    TG_TRY(remember(tape, kind, in, var, node));
cleanup:
    return status;
}

tg_status tgi_tape_record_here(tgi_tape *tape, const tgi_node_kind *kind, tgi_var *x, tgi_var **out,
                               tgi_node **node)
{
    tg_status status = TG_OK;
    tgi_var *var = NULL;

    *node = NULL;
    TG_TRY(store_next(&tape->vars, &var));
    var->value = x->value;
    var->owns_value = x->owns_value;
    x->owns_value = false;
    x->heir = var;
    *out = var;
    TG_TRY(remember(tape, kind, (tgi_var *const[TGI_MAX_INPUTS]){x, NULL, NULL}, var, node));
cleanup:
    return status;
}

tg_status tgi_tape_backward(tgi_tape *tape)
{
    tg_status status = TG_OK;
    tgi_expanded expanded = {0};

    for (size_t i = tape->nodes.used; i-- > 0;) {
        tgi_node *node = store_at(&tape->nodes, i);

        if (!node->out->grad)
            continue; /* no loss depends on it */
        TG_TRY(tgi_tape_expand(node, &expanded));
        TG_TRY(node->kind->backward(tape, node));
        if (node->out->owns_grad) { /* nobody below reads it again */
            tg_tensor_free(node->out->grad);
            node->out->grad = NULL;
            node->out->owns_grad = false;
        }
        if (tape->spends)
            tgi_tape_spend(node);
    }
cleanup:
    tgi_tape_shrink(&expanded);
    return status;
}

/* The tangent of `var`, among the n pairs found so far. */
typedef struct tangent_pair {
    const tgi_var *var;
    tgi_var *tangent;
} tangent_pair;

static tgi_var *find_tangent(const tangent_pair *pairs, size_t n, const tgi_var *var)
{
    for (size_t i = n; i-- > 0;) {
        if (pairs[i].var == var)
            return pairs[i].tangent;
    }
    return NULL;
}

tg_status tgi_tape_tangent(tgi_tape *from, const tgi_var *x, tg_tensor *direction, const tgi_var *y,
                           tgi_tape *to, tgi_var **out)
{
    tg_status status = TG_OK;
    tangent_pair *pairs = NULL;
    size_t n = 0;

    if (from->precision != TGI_PRECISION_FLOAT)
        return tg_fail(TG_ERR_UNSUPPORTED, "the tangent pass reads values as they were: the tape "
                                           "it starts from must be of float precision");
    TG_TRY(tgi_alloc(from->nodes.used + 1, sizeof *pairs, &pairs));
    pairs[n].var = x;
    TG_TRY(tgi_tape_leaf(to, direction, false, &pairs[n++].tangent));
    for (size_t i = 0; i < from->nodes.used; i++) {
        const tgi_node *node = store_at(&from->nodes, i);
        tgi_var *t_in[TGI_MAX_INPUTS];
        bool moves = false;

        for (int k = 0; k < TGI_MAX_INPUTS; k++) {
            t_in[k] = node->in[k] ? find_tangent(pairs, n, node->in[k]) : NULL;
            moves |= t_in[k] != NULL;
        }
        if (!moves)
            continue;
        if (!node->kind->tangent) {
            status =
                tg_fail(TG_ERR_UNSUPPORTED,
                        "the gradient penalty cannot pass through %s (choose a critic without it)",
                        node->kind->name);
            goto cleanup;
        }
        TG_TRY(node->kind->tangent(node, to, t_in, &pairs[n].tangent));
        pairs[n++].var = node->out;
    }
    *out = find_tangent(pairs, n, y);
    if (!*out)
        status = tg_fail(TG_ERR_ARGUMENT, "tangent pass: the output does not depend on the input");
cleanup:
    free(pairs);
    return status;
}
