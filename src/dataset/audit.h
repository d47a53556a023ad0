/* audit.h -- what a careful person checks by hand before a week of training: every file, every
 * label, every split. */
#ifndef TGI_DATASET_AUDIT_H
#define TGI_DATASET_AUDIT_H

#include <taggan/dataset.h>

/* Called for each problem, one sentence without a full stop. */
typedef void tgi_problem_fn(const char *problem, void *user);
/* Called now and then with the number of images looked at. */
typedef void tgi_progress_fn(size_t done, size_t total, void *user);

typedef struct tgi_audit_hooks {
    tgi_problem_fn *problem;
    tgi_progress_fn *progress; /* or NULL */
    void *user;
} tgi_audit_hooks;

/* Reads every image and its truth. Problems are: a file or a truth that cannot be read; the same
 * picture under two labels or in two splits; a patient in two splits; a healthy image with a mask,
 * a diseased one whose mask is empty; a train split without one of the domains. Fails only when it
 * cannot go on. */
tg_status tgi_dataset_audit(const tg_dataset *set, const tgi_audit_hooks *hooks) TG_MUST_CHECK;

/* Shares the patients of a set out to the splits, healthy and diseased ones alike, and writes
 * labels.csv's form to `path`. Images without a patient are patients of their own. The same seed
 * gives the same split, whatever order the files came in. */
tg_status tgi_dataset_share_out(const tg_dataset *set, double val_share, double test_share,
                                uint64_t seed, const char *path) TG_MUST_CHECK;

/* tg_dataset_write() that says how far it is; progress may be NULL. */
tg_status tgi_dataset_write(const tg_dataset *set, const char *folder, size_t size_px,
                            tgi_progress_fn *progress, void *user) TG_MUST_CHECK;

/* Distinct patients of a split; images without one count for themselves. */
tg_status tgi_dataset_count_patients(const tg_dataset *set, tg_split split,
                                     size_t *out) TG_MUST_CHECK;

/* "train", "val", "test" */
const char *tgi_audit_split_name(tg_split split);

#endif
