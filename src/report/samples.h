/* samples.h -- a few images of a test, kept while it runs and drawn as panels: input, truth, map, mask, boxes, healthy estimate; or
 * input, truth, and map and mask of several models side by side. */
#ifndef TGI_REPORT_SAMPLES_H
#define TGI_REPORT_SAMPLES_H

#include "report/report.h"
#include "trainer/trainer.h"

enum { TGI_SAMPLES_DISEASED = 8, TGI_SAMPLES_HEALTHY = 4, TGI_MAX_PANELS = 2 };
#define TGI_SAMPLES_DENSITY 1.5 /* pixels to a unit of the layout, see panel.h */

/* One image that was kept. */
typedef struct tgi_sample_kept {
    char *caption;
    tg_image input, map, healthy, difference;
    tg_tags tags;
    tg_mask truth_mask;
    tg_box *boxes;
    size_t n_boxes;
} tgi_sample_kept;

typedef struct tgi_samples {
    const char *folder;
    const tgi_model_info *info;
    tgi_sample_kept kept[2][TGI_SAMPLES_DISEASED]; /* healthy, diseased */
    size_t n_kept[2];
    size_t *seen; /* [n_classes] diseased images kept of each class */
    tgi_run_panel panels[TGI_MAX_PANELS];
    char *paths[TGI_MAX_PANELS];
    size_t n_panels;
} tgi_samples;

/* folder (NULL: no files will be drawn) and info are kept. */
tg_status tgi_samples_init(tgi_samples *samples, const char *folder,
                           const tgi_model_info *info) TG_MUST_CHECK;
/* A tgi_test_fn: keeps the first images of each class in turn, and the first healthy ones. */
tg_status tgi_samples_visit(void *samples, const tgi_test_item *item) TG_MUST_CHECK;
/* Draws folder/diseased.png and folder/healthy.png, and shows them to TensorBoard (NULL: does not). */
tg_status tgi_samples_draw(tgi_samples *samples, tgi_tensorboard *board,
                           long long step) TG_MUST_CHECK;
/* All that was kept on one sheet, as a PNG file's bytes, added to png. */
tg_status tgi_samples_sheet(const tgi_samples *samples, tgi_text *png) TG_MUST_CHECK;
/* What n models made of the same images, side by side under their names. TG_ERR_ARGUMENT when they kept different ones. */
tg_status tgi_samples_side_by_side(const tgi_samples *samples, const char *const *names, size_t n,
                                   tgi_text *png) TG_MUST_CHECK;
void tgi_samples_release(tgi_samples *samples);

#endif
