/* test_model_file.c -- models and checkpoints come back bit for bit; files that do not fit are
 * refused with a name, and leave the model as it was. */
#include "config.h"
#include "tg_test.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "checkpoint/model_file.h"
#include "checkpoint/safetensors.h"
#include "net/layer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PARTS = 256, N_CLASSES = 2 };

static tg_device *dev;
static char *path;

static void set_up(void)
{
    ck_assert_tg_ok(tg_device_open(NULL, &dev));
    ck_assert_tg_ok(
        tgi_printf(&path, "%s.%ld", tg_scratch_path("model_file_test"), (long)getpid()));
}

static void tear_down(void)
{
    unlink(path);
    free(path);
    tg_device_free(dev);
}

/* The smallest of each pair of networks. */
static tgi_settings small_settings(const char *net, const char *netd)
{
    tgi_settings s = tgi_settings_preset(TGI_PRESET_STANDARD);

    ck_assert_tg_ok(tgi_settings_set(&s, "net", net));
    ck_assert_tg_ok(tgi_settings_set(&s, "netd", netd));
    s.size = 32;
    s.width = 3;
    s.dwidth = 5;
    s.blocks = 2;
    s.batch = 2;
    s.pool = 3;
    s.ema = 0.9;
    return s;
}

static tgi_model *new_model(const tgi_settings *settings)
{
    tgi_model *model;

    ck_assert_tg_ok(tgi_model_new(dev, settings, N_CLASSES, &model));
    return model;
}

/* Everything that a checkpoint must keep. */
static size_t list_parts(tgi_model *model, tg_tensor *parts[MAX_PARTS])
{
    size_t n = 0;

    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);

        ck_assert_uint_lt(n + member->net->n_buffers, MAX_PARTS - 8);
        for (size_t k = 0; k < member->net->n_buffers; k++)
            parts[n++] = member->net->buffers[k].value;
        parts[n++] = member->net->values;
        parts[n++] = member->m;
        parts[n++] = member->v;
    }
    parts[n++] = model->average->values;
    parts[n++] = model->pool_normal.images;
    parts[n++] = model->pool_disease.images;
    return n;
}

/* Moments are a block: what lies between the parameters stays zero, as the optimisers keep it. */
static void fill_block(const tgi_net *net, tg_tensor *block, uint64_t seed)
{
    for (size_t k = 0; k < net->n_params; k++) {
        const tg_tensor *param = net->params[k].value;
        size_t n = tg_tensor_count(param);
        float *values;
        tg_tensor *source;

        ck_assert_tg_ok(tgi_alloc(n, sizeof *values, &values));
        tg_fill_normal(values, n, seed + k);
        ck_assert_tg_ok(tg_tensor_new(dev, param->dims, &source));
        ck_assert_tg_ok(tg_tensor_upload(source, values, n));
        ck_assert_tg_ok(tgi_tensor_copy_part(source, 0, block, net->rules[k].offset, n));
        tg_tensor_free(source);
        free(values);
    }
}

static void fill_tensor(tg_tensor *tensor, uint64_t seed)
{
    size_t n = tg_tensor_count(tensor);
    float *values;

    ck_assert_tg_ok(tgi_alloc(n, sizeof *values, &values));
    tg_fill_normal(values, n, seed);
    ck_assert_tg_ok(tg_tensor_upload(tensor, values, n));
    free(values);
}

/* As if trained: other values everywhere. */
static void disturb(tgi_model *model, uint64_t seed)
{
    for (size_t i = 0; i < TGI_N_MEMBERS; i++) {
        tgi_member *member = tgi_model_member(model, i);

        fill_block(member->net, member->net->values, seed + 1000 * i);
        fill_block(member->net, member->m, seed + 1000 * i + 300);
        fill_block(member->net, member->v, seed + 1000 * i + 600);
        tgi_net_touch(member->net);
    }
    fill_block(model->average, model->average->values, seed + 5000);
    fill_tensor(model->pool_normal.images, seed + 6000);
    fill_tensor(model->pool_disease.images, seed + 7000);
    model->pool_normal.n = 2;
    model->pool_disease.n = 3;
    model->n_steps = 17;
    model->n_updates = 34;
}

static void check_same_settings(const tgi_settings *a, const tgi_settings *b)
{
    tgi_text left = {0}, right = {0};

    ck_assert_tg_ok(tgi_settings_write(a, false, &left));
    ck_assert_tg_ok(tgi_settings_write(b, false, &right));
    ck_assert_str_eq(left.data, right.data);
    tgi_text_release(&left);
    tgi_text_release(&right);
}

static void check_same_tensor(const tg_tensor *a, const tg_tensor *b)
{
    size_t n = tg_tensor_count(a);
    float *left, *right;

    ck_assert_uint_eq(n, tg_tensor_count(b));
    ck_assert_tg_ok(tgi_alloc(n, sizeof *left, &left));
    ck_assert_tg_ok(tgi_alloc(n, sizeof *right, &right));
    ck_assert_tg_ok(tg_tensor_download(a, left, n));
    ck_assert_tg_ok(tg_tensor_download(b, right, n));
    ck_assert_mem_eq(left, right, n * sizeof *left);
    free(left);
    free(right);
}

static void check_same(tgi_model *a, tgi_model *b)
{
    tg_tensor *left[MAX_PARTS], *right[MAX_PARTS];
    size_t n = list_parts(a, left);

    ck_assert_uint_eq(n, list_parts(b, right));
    for (size_t i = 0; i < n; i++)
        check_same_tensor(left[i], right[i]);
    ck_assert_uint_eq(a->pool_normal.n, b->pool_normal.n);
    ck_assert_uint_eq(a->pool_disease.n, b->pool_disease.n);
    ck_assert_uint_eq(a->n_steps, b->n_steps);
    ck_assert_uint_eq(a->n_updates, b->n_updates);
}

static char *class_names[N_CLASSES] = {"nodule", "\xc3\x96"
                                                 "dem"};

/* Borrows its texts: not to be released. */
static tgi_model_info info_of(const tgi_settings *settings)
{
    return (tgi_model_info){.settings = *settings,
                            .classes = class_names,
                            .n_classes = N_CLASSES,
                            .threshold = 0.12345678901234567,
                            .threshold_rule = "healthy:0.99",
                            .step = 17,
                            .dataset = "phantom:n=8",
                            .calibrated = {{0.01, 0.25}, {0.05, 0.125}},
                            .n_calibrated = 2};
}

static void save_checkpoint(tgi_model *model)
{
    const tgi_model_info info = info_of(&model->settings);

    ck_assert_tg_ok(tgi_checkpoint_save(model, &info, "{\"best\": 1}", path));
}

START_TEST(a_checkpoint_comes_back_bit_for_bit)
{
    static const char *const nets[][2] = {{"small_unet", "patchgan"}, {"resnet", "critic"}};
    const tgi_settings settings = small_settings(nets[_i][0], nets[_i][1]);
    tgi_model *model = new_model(&settings), *other = new_model(&settings);
    tgi_model_info info;
    char *trainer;

    disturb(model, 1);
    disturb(other, 2);
    save_checkpoint(model);
    ck_assert_tg_ok(tgi_checkpoint_load(path, other));
    check_same(model, other);
    ck_assert_tg_ok(tgi_checkpoint_peek(path, &info, &trainer));
    ck_assert_str_eq(trainer, "{\"best\": 1}");
    check_same_settings(&info.settings, &settings);
    ck_assert_uint_eq(info.n_classes, N_CLASSES);
    ck_assert_str_eq(info.classes[1], class_names[1]);
    ck_assert_uint_eq(info.step, 17);
    free(trainer);
    tgi_model_info_release(&info);
    tgi_model_free(model);
    tgi_model_free(other);
}
END_TEST

/* The map of one image under the first class. */
static void make_map(tgi_model *model, tgi_weights weights, float *map)
{
    const tg_dims dims = {1, 1, 32, 32}, label_dims = {1, N_CLASSES, 1, 1};
    tg_tensor *x, *y, *labels;

    ck_assert_tg_ok(tg_tensor_new(dev, dims, &x));
    ck_assert_tg_ok(tg_tensor_new(dev, dims, &y));
    ck_assert_tg_ok(tg_tensor_new(dev, label_dims, &labels));
    fill_tensor(x, 99);
    ck_assert_tg_ok(tg_tensor_upload(labels, (const float[]){1, 0}, N_CLASSES));
    ck_assert_tg_ok(tgi_model_map(model, weights, x, labels, y));
    ck_assert_tg_ok(tg_tensor_download(y, map, 32 * 32));
    tg_tensor_free(x);
    tg_tensor_free(y);
    tg_tensor_free(labels);
}

START_TEST(a_model_makes_the_same_maps)
{
    const tgi_settings settings = small_settings("small_unet", "patchgan");
    const tgi_model_info info = info_of(&settings);
    const tgi_weights weights = _i ? TGI_WEIGHTS_AVERAGE : TGI_WEIGHTS_RAW;
    tgi_model *model = new_model(&settings), *loaded;
    float wanted[32 * 32], got[32 * 32];
    tgi_model_info read;

    disturb(model, 3);
    make_map(model, weights, wanted);
    ck_assert_tg_ok(tgi_model_save(model, weights, &info, path));
    tgi_model_free(model);
    ck_assert_tg_ok(tgi_model_load(dev, path, &loaded, &read));
    make_map(loaded, TGI_WEIGHTS_AVERAGE, got);
    ck_assert_mem_eq(wanted, got, sizeof got);
    check_same_settings(&read.settings, &settings);
    ck_assert_str_eq(read.classes[0], "nodule");
    ck_assert_str_eq(read.threshold_rule, "healthy:0.99");
    ck_assert(read.threshold == info.threshold);
    ck_assert_str_eq(read.dataset, "phantom:n=8");
    ck_assert_uint_eq(read.n_calibrated, 2);
    ck_assert(read.calibrated[1].false_alarm == 0.05 && read.calibrated[1].threshold == 0.125);
    tgi_model_free(loaded);
    tgi_model_info_release(&read);
}
END_TEST

START_TEST(a_run_folder_stands_for_its_model)
{
    const tgi_settings settings = small_settings("small_unet", "critic");
    tgi_model_info info = info_of(&settings), read;
    tgi_model *model = new_model(&settings), *loaded;
    char *file;

    info.threshold = -1;
    info.threshold_rule = NULL;
    info.dataset = NULL;
    info.n_calibrated = 0;
    ck_assert_tg_ok(tgi_mkdirs(path));
    ck_assert_tg_ok(tgi_path_join(path, "model.safetensors", &file));
    ck_assert_tg_fails(tgi_model_load(dev, path, &loaded, &read), TG_ERR_IO);
    ck_assert_ptr_null(loaded);
    ck_assert_tg_ok(tgi_model_save(model, TGI_WEIGHTS_RAW, &info, file));
    ck_assert_tg_ok(tgi_model_load(dev, path, &loaded, &read));
    ck_assert(read.threshold < 0);
    ck_assert_ptr_null(read.threshold_rule);
    ck_assert_ptr_null(read.dataset);
    tgi_model_info_release(&read);
    tgi_model_free(loaded);
    tgi_model_free(model);
    unlink(file);
    free(file);
    rmdir(path);
}
END_TEST

START_TEST(another_shape_is_refused_and_changes_nothing)
{
    tgi_settings settings = small_settings("small_unet", "patchgan");
    tgi_model *model = new_model(&settings), *wider, *untouched;

    disturb(model, 1);
    save_checkpoint(model);
    tgi_model_free(model);
    settings.dwidth = 6;
    wider = new_model(&settings);
    untouched = new_model(&settings);
    disturb(wider, 2);
    disturb(untouched, 2);
    ck_assert_tg_fails(tgi_checkpoint_load(path, wider), TG_ERR_SHAPE);
    ck_assert_ptr_nonnull(
        strstr(tg_error_message(),
               "array 'DN.model.0.weight' is 5 x 1 x 4 x 4 in the file, but 6 x 1 x 4 x 4"));
    check_same(wider, untouched);
    tgi_model_free(wider);
    tgi_model_free(untouched);
}
END_TEST

START_TEST(damage_is_refused_and_changes_nothing)
{
    const tgi_settings settings = small_settings("small_unet", "critic");
    tgi_model *model = new_model(&settings), *other = new_model(&settings),
              *untouched = new_model(&settings);
    tgi_model_info info;
    char *bytes, *trainer;
    size_t n;

    save_checkpoint(model);
    disturb(other, 4);
    disturb(untouched, 4);
    ck_assert_tg_ok(tgi_file_read(path, 1 << 30, &bytes, &n));
    bytes[n / 2] ^= 1;
    ck_assert_tg_ok(tgi_file_write(path, bytes, n));
    ck_assert_tg_fails(tgi_checkpoint_load(path, other), TG_ERR_FORMAT);
    bytes[n / 2] ^= 1;
    ck_assert_tg_ok(tgi_file_write(path, bytes, n / 3));
    ck_assert_tg_fails(tgi_checkpoint_load(path, other), TG_ERR_FORMAT);
    ck_assert_tg_fails(tgi_checkpoint_peek(path, &info, &trainer), TG_ERR_FORMAT);
    check_same(other, untouched);
    free(bytes);
    tgi_model_free(model);
    tgi_model_free(other);
    tgi_model_free(untouched);
}
END_TEST

/* The checkpoint again with all its arrays, some metadata, and `more` (NULL for none). */
static void rewrite(const char *const *keys, size_t n_keys, const char *left_out, const char *more)
{
    static const float one[1] = {1};
    tgi_safetensors *file;
    tgi_safetensors_writer *writer;

    ck_assert_tg_ok(tgi_safetensors_open(path, &file));
    ck_assert_tg_ok(tgi_safetensors_writer_new(&writer));
    for (size_t i = 0; i < n_keys; i++)
        ck_assert_tg_ok(tgi_safetensors_writer_metadata(writer, keys[i],
                                                        tgi_safetensors_metadata(file, keys[i])));
    for (size_t i = 0; i < tgi_safetensors_count(file); i++) {
        const tgi_stored *a = tgi_safetensors_at(file, i);

        if (!left_out || strcmp(a->name, left_out))
            ck_assert_tg_ok(
                tgi_safetensors_writer_add(writer, a->name, a->dtype, a->dims, a->n_dims, a->data));
    }
    if (more)
        ck_assert_tg_ok(tgi_safetensors_writer_add(writer, more, TGI_F32, (size_t[]){1}, 1, one));
    ck_assert_tg_ok(tgi_safetensors_writer_commit(writer, path));
    tgi_safetensors_writer_free(writer);
    tgi_safetensors_free(file);
}

static const char *const all_keys[] = {"model", "settings", "classes",
                                       "step",  "counters", "trainer"};

START_TEST(missing_metadata_is_named)
{
    const tgi_settings settings = small_settings("small_unet", "critic");
    tgi_model *model = new_model(&settings), *loaded;
    tgi_model_info info;
    char *trainer, *wanted;

    save_checkpoint(model);
    rewrite(all_keys, (size_t)_i, NULL, NULL);
    ck_assert_tg_ok(tgi_printf(&wanted, "no metadata '%s'", all_keys[_i]));
    if (_i < 4) {
        ck_assert_tg_fails(tgi_model_load(dev, path, &loaded, &info), TG_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(tg_error_message(), wanted));
    }
    ck_assert_tg_fails(_i == 4 ? tgi_checkpoint_load(path, model)
                               : tgi_checkpoint_peek(path, &info, &trainer),
                       TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), wanted));
    free(wanted);
    tgi_model_free(model);
}
END_TEST

START_TEST(arrays_that_are_missing_are_named_and_strange_ones_are_not_looked_at)
{
    const tgi_settings settings = small_settings("small_unet", "critic");
    tgi_model *model = new_model(&settings);

    save_checkpoint(model);
    rewrite(all_keys, TG_COUNT(all_keys), NULL, "G.something.else");
    ck_assert_tg_ok(tgi_checkpoint_load(path, model));
    rewrite(all_keys, TG_COUNT(all_keys), "adam.v.DD.cls.bias", NULL);
    ck_assert_tg_fails(tgi_checkpoint_load(path, model), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "array 'adam.v.DD.cls.bias' is missing"));
    tgi_model_free(model);
}
END_TEST

/* A file of G's arrays alone, under that prefix, all but the last `n_less`. */
static void save_network(const tgi_net *net, const char *prefix, size_t n_less)
{
    tgi_safetensors_writer *writer;
    float *block[MAX_PARTS] = {NULL};

    ck_assert_uint_le(net->n_params, MAX_PARTS);
    ck_assert_tg_ok(tgi_safetensors_writer_new(&writer));
    for (size_t i = 0; i + n_less < net->n_params; i++) {
        const tg_tensor *p = net->params[i].value;
        const size_t dims[4] = {p->dims.n, p->dims.c, p->dims.h, p->dims.w}, n = tg_tensor_count(p);
        bool is_bias = tgi_ends_with(net->params[i].name, ".bias");
        char *name;

        ck_assert_tg_ok(tgi_alloc(n, sizeof(float), &block[i]));
        ck_assert_tg_ok(tg_tensor_download(p, block[i], n));
        ck_assert_tg_ok(tgi_printf(&name, "%s%s", prefix, net->params[i].name));
        ck_assert_tg_ok(tgi_safetensors_writer_add(writer, name, TGI_F32, is_bias ? &n : dims,
                                                   is_bias ? 1 : 4, block[i]));
        free(name);
    }
    ck_assert_tg_ok(tgi_safetensors_writer_add(writer, "G.model.2.running_mean", TGI_F32,
                                               (size_t[]){1}, 1, block[0]));
    ck_assert_tg_ok(tgi_safetensors_writer_commit(writer, path));
    tgi_safetensors_writer_free(writer);
    for (size_t i = 0; i < MAX_PARTS; i++)
        free(block[i]);
}

START_TEST(begins_from_the_networks_of_a_file)
{
    const tgi_settings settings = small_settings("resnet", "patchgan");
    tgi_model *model = new_model(&settings), *other = new_model(&settings),
              *untouched = new_model(&settings);

    disturb(model, 1);
    disturb(other, 2);
    disturb(untouched, 2);
    save_network(model->g.net, "G.", 0);
    ck_assert_tg_ok(tgi_model_init_from(path, other));
    check_same_tensor(other->g.net->values, model->g.net->values);
    check_same_tensor(other->average->values, model->g.net->values);
    check_same_tensor(other->f.net->values, untouched->f.net->values);
    save_network(model->g.net, "F.", 1);
    ck_assert_tg_fails(tgi_model_init_from(path, untouched), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "array 'F.model.19.bias' is missing"));
    save_network(model->g.net, "netG_A.", 0);
    ck_assert_tg_fails(tgi_model_init_from(path, untouched), TG_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(tg_error_message(), "no array of a network"));
    save_network(model->g.net, "DN.", 0);
    ck_assert_tg_fails(tgi_model_init_from(path, untouched), TG_ERR_FORMAT);
    tgi_model_free(model);
    tgi_model_free(other);
    tgi_model_free(untouched);
}
END_TEST

START_TEST(arrays_tell_the_sizes_of_the_networks)
{
    static const char *const nets[][2] = {{"resnet", "patchgan"},
                                          {"small_unet", "critic"},
                                          {"unet", "patchgan"},
                                          {"stargan", "stargan"}};
    tgi_settings settings = small_settings(nets[_i][0], nets[_i][1]), found = {0};
    tgi_model *model;
    bool has_blocks = settings.net == TGI_G_RESNET || settings.net == TGI_G_STARGAN;

    settings.size = 64;
    model = new_model(&settings);
    save_checkpoint(model);
    ck_assert_tg_ok(tgi_settings_from_weights(path, &found));
    ck_assert_uint_eq(found.width, 3);
    ck_assert_uint_eq(found.dwidth, 5);
    ck_assert_uint_eq(found.blocks, has_blocks ? 2 : 0);
    found.width = 7;
    ck_assert_tg_ok(tgi_settings_from_weights(path, &found));
    ck_assert_uint_eq(found.width, 7);
    tgi_model_free(model);
}
END_TEST

START_TEST(thresholds_are_stored_for_several_rates)
{
    const tgi_settings settings =
        small_settings("small_unet", "critic"); /* max_false_alarm is 0.01 */
    const tg_tag_opts opts = tg_tag_opts_default();
    tgi_model_info info = {.settings = settings, .threshold = -1};
    tg_calibration *healthy;
    double threshold;
    tg_image map;

    ck_assert_tg_fails(tgi_model_info_threshold(&info, 0.01, &threshold), TG_ERR_ARGUMENT);
    ck_assert_tg_ok(tg_image_new(1, 1, &map));
    ck_assert_tg_ok(tg_calibration_new(TG_CALIBRATE_IMAGES, &opts, &healthy));
    for (int i = 1; i <= 100; i++) {
        map.pixels[0] = (float)i / 128;
        ck_assert_tg_ok(tg_calibration_add(healthy, &map));
    }
    ck_assert_tg_ok(tgi_calibrated_table(healthy, info.calibrated));
    info.n_calibrated = TGI_N_CALIBRATED;
    ck_assert_tg_ok(tgi_strdup("healthy:0.99", &info.threshold_rule));
    info.threshold = 0.5;
    ck_assert_tg_ok(tgi_model_info_threshold(&info, 0.01, &threshold));
    ck_assert_double_eq(threshold, 0.5);
    ck_assert_tg_ok(tgi_model_info_threshold(&info, 0.02, &threshold));
    ck_assert_double_eq(threshold, 98.0 / 128);
    ck_assert_tg_ok(tgi_model_info_threshold(&info, 0.1, &threshold));
    ck_assert_double_eq(threshold, 90.0 / 128);
    ck_assert_tg_fails(tgi_model_info_threshold(&info, 0.3, &threshold), TG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(
        strstr(tg_error_message(), "it has: 0.01, 0.001, 0.005, 0.02, 0.05, 0.1"));
    tg_calibration_free(healthy);
    tg_image_release(&map);
    tgi_model_info_release(&info);
}
END_TEST

int main(void)
{
    TCase *tc = tg_case("files", 120);

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_checkpoint_comes_back_bit_for_bit, 0, 2);
    tcase_add_loop_test(tc, a_model_makes_the_same_maps, 0, 2);
    tcase_add_test(tc, a_run_folder_stands_for_its_model);
    tcase_add_test(tc, another_shape_is_refused_and_changes_nothing);
    tcase_add_test(tc, damage_is_refused_and_changes_nothing);
    tcase_add_loop_test(tc, missing_metadata_is_named, 0, TG_COUNT(all_keys));
    tcase_add_test(tc, arrays_that_are_missing_are_named_and_strange_ones_are_not_looked_at);
    tcase_add_test(tc, begins_from_the_networks_of_a_file);
    tcase_add_loop_test(tc, arrays_tell_the_sizes_of_the_networks, 0, 4);
    tcase_add_test(tc, thresholds_are_stored_for_several_rates);
    return tg_run("model_file");
}
