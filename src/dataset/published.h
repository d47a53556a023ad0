/* published.h -- readers of the published sets, each straight from the layout that people have on
 * disk, and what the readers share. A reader refuses a malformed row with its file and line, leaves
 * out what was not asked for, and says in one line how many those were. */
#ifndef TGI_DATASET_PUBLISHED_H
#define TGI_DATASET_PUBLISHED_H

#include "dataset/dataset.h"

/* CheXpert-v1.0 and -small [irvin2019]. (chexpert.c) */
bool tgi_chexpert_recognises(const char *spec);
tg_status tgi_chexpert_read(tg_dataset *set, const char *spec,
                            const tg_dataset_opts *opts) TG_MUST_CHECK;

/* NIH ChestX-ray14 [wang2017]. (nih.c) */
bool tgi_nih_recognises(const char *spec);
tg_status tgi_nih_read(tg_dataset *set, const char *spec,
                       const tg_dataset_opts *opts) TG_MUST_CHECK;

/* TBX11K [liu2020]. (tbx11k.c) */
bool tgi_tbx11k_recognises(const char *spec);
tg_status tgi_tbx11k_read(tg_dataset *set, const char *spec,
                          const tg_dataset_opts *opts) TG_MUST_CHECK;

/* The Shenzhen and the Montgomery set of the National Library of Medicine [jaeger2014]. (nlm.c) */
bool tgi_shenzhen_recognises(const char *spec);
tg_status tgi_shenzhen_read(tg_dataset *set, const char *spec,
                            const tg_dataset_opts *opts) TG_MUST_CHECK;
bool tgi_montgomery_recognises(const char *spec);
tg_status tgi_montgomery_read(tg_dataset *set, const char *spec,
                              const tg_dataset_opts *opts) TG_MUST_CHECK;

/* COVID-CXNet [haghanifar2020]. (covid.c) */
bool tgi_covid_recognises(const char *spec);
tg_status tgi_covid_read(tg_dataset *set, const char *spec,
                         const tg_dataset_opts *opts) TG_MUST_CHECK;

/* VinDr-CXR [nguyen2022] as of Kaggle and of PhysioNet. (vindr.c) */
bool tgi_vindr_recognises(const char *spec);
tg_status tgi_vindr_read(tg_dataset *set, const char *spec,
                         const tg_dataset_opts *opts) TG_MUST_CHECK;

/* The RSNA pneumonia detection challenge [shih2019]. (rsna.c) */
bool tgi_rsna_recognises(const char *spec);
tg_status tgi_rsna_read(tg_dataset *set, const char *spec,
                        const tg_dataset_opts *opts) TG_MUST_CHECK;

/* Is an image of that view asked for? projection is PA, AP, or anything else where it is unknown. */
bool tgi_is_view_wanted(const tg_dataset_opts *opts, bool is_frontal, const char *projection);
/* sex begins with M or F in any case; anything else is unknown and taken with "all" alone. */
bool tgi_is_sex_wanted(const tg_dataset_opts *opts, const char *sex);

/* Why rows (or files) gave no image; said in one line at the end. */
typedef struct tgi_left_out {
    size_t n_rows, view, sex, uncertain, unlabelled, invisible, children;
} tgi_left_out;

void tgi_left_out_report(const tgi_left_out *counts, const char *table);

#endif
