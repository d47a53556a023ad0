/* infer.c -- taggan-infer: tags radiographs with disease maps, masks and boxes by a trained model.
 */
#include "config.h"
#include <taggan/programs.h>
#include "base/text.h"
#include "report/tag_run.h"

#define TG_OPTIONS_FILE "cli/infer_options.def"
#include "cli/options_table.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

static const tgi_program program = {
    "taggan-infer", "Tags radiographs with disease maps, masks and boxes.", "INPUT...",
    "INPUT is an image (PNG, JPEG), a folder with images below it, or a data set.\n\n"
    "Examples:\n"
    "  taggan-infer -m taggan-run chest.png\n"
    "  taggan-infer -m run --format voc,yolo --label all -o ward-tags ward\n"
    "  taggan-infer -m run --split test set && taggan-eval set tags\n",
    TGI_TABLE(option_table)};

static tg_status collect(const options *given, const tg_tagger *tagger,
                         const tgi_operands *operands, tgi_tag_inputs *inputs)
{
    tg_status status = TG_OK;
    tgi_tag_inputs_opts opts = {.dataset = tg_dataset_opts_default(), .split = given->split};

    opts.dataset.kind = given->dataset;
    opts.dataset.view = given->view;
    opts.dataset.sex = given->sex;
    opts.dataset.uncertain = given->uncertain;
    opts.dataset.size_px = tg_tagger_size_px(tagger); /* drawn as they were for the training */
    opts.dataset.seed = tagger->info.settings.seed;
    for (size_t i = 0; i < operands->n; i++)
        TG_TRY(tgi_tag_inputs_add(inputs, operands->items[i], &opts));
    if (!inputs->n)
        status = tg_fail(TG_ERR_IO, "no image among the inputs");
    else
        status = tgi_tag_inputs_name(inputs);
cleanup:
    return status;
}

static void print_result(const options *given, const tgi_tag_result *result)
{
    if (given->quiet)
        return;
    printf("tagged %zu image%s, %zu with boxes, into %s\n", result->n_rows,
           result->n_rows == 1 ? "" : "s", result->n_with_boxes, given->output);
    if (result->n_healthy)
        printf("%zu of %zu healthy images show a box\n", result->n_healthy_fire, result->n_healthy);
}

static tg_status tag(const options *given, const tgi_operands *operands, unsigned formats,
                     const char *command)
{
    tg_status status = TG_OK;
    tg_device *dev = NULL;
    tg_tagger *tagger = NULL;
    tgi_tag_inputs inputs = {0};
    tgi_tag_result result = {0};
    tgi_tag_run_opts opts = {.folder = given->output,
                             .model = given->model,
                             .command = command,
                             .formats = formats | TG_ANNOTATE_COCO,
                             .has_npy = given->save != NULL,
                             .n_batch = given->batch,
                             .progress = given->quiet ? TGI_PROGRESS_SILENT : TGI_PROGRESS_AUTO};

    TG_TRY(tg_device_open(given->device, &dev));
    TG_TRY(tg_tagger_load(dev, given->model, &tagger));
    opts.device = tg_device_get_info(dev);
    opts.tagger = tg_tagger_opts_default(tagger);
    TG_TRY(tg_tagger_set_label(tagger, given->label, &opts.tagger));
    TG_TRY(tg_tagger_set_threshold(tagger, given->threshold, given->max_false_alarm, &opts.tagger));
    TG_TRY(collect(given, tagger, operands, &inputs));
    TG_TRY(tgi_tag_run(tagger, &inputs, &opts, &result));
    print_result(given, &result);
    if (result.n_failed)
        status = tg_fail(TG_ERR_IO, "%zu of %zu inputs could not be read; the others are in %s",
                         result.n_failed, inputs.n, given->output);
cleanup:
    tgi_tag_result_release(&result);
    tgi_tag_inputs_release(&inputs);
    tg_tagger_free(tagger);
    tg_device_free(dev);
    return status;
}

int tg_infer_main(int argc, char **argv)
{
    options given = {0};
    tgi_operands operands;
    char *command = NULL;
    unsigned formats;
    int exit_status;

    setlocale(LC_CTYPE, "");
    if (tgi_program_start(&program, argc, argv, &given, &operands, &exit_status))
        return exit_status;
    if (!given.model)
        exit_status = tgi_program_misused(&program, "-m RUN is needed, the model to tag with");
    else if (!operands.n)
        exit_status =
            tgi_program_misused(&program, "an input is needed: images, folders or a data set");
    else if (given.given.max_false_alarm && strcmp(given.threshold, "calibrated") != 0)
        exit_status =
            tgi_program_misused(&program, "--max-false-alarm belongs to --threshold calibrated");
    else if (tgi_threshold_text_check(given.threshold) != TG_OK)
        exit_status = tgi_program_misused(&program, "--%s", tg_error_message());
    else if (tg_annotate_formats_parse(given.format, &formats) != TG_OK)
        exit_status = tgi_program_misused(&program, "--format: %s", tg_error_message());
    else {
        tg_status status = tgi_program_command(&program, argc, argv, &command);

        exit_status = tgi_program_end(
            &program, status == TG_OK ? tag(&given, &operands, formats, command) : status);
    }
    free(command);
    tgi_program_finish(&program, &given);
    return exit_status;
}
