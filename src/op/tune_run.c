/* tune_run.c -- the parent of tune_worker.c: hands layers over, reads results, and goes on without a candidate that crashed the
 * child or does not answer. The child is a new program, not a fork: OpenCL runtimes do not survive one. */
#include "config.h"
#include "base/memory.h"
#include "op/tune.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/banned.h"

extern char **environ;

enum { MAX_LINE = 512, MAX_PATH = 4096 };
static const double most_patience = 30,
                    least_patience =
                        3; /* seconds without a line; compilers may take half a minute */
static const double few_operations =
    2e8; /* multiplications; above, the plain algorithm has no chance */
static const double rule_bonus = 0.97;
enum { FFT_KERNEL = 5 }; /* below, transforms have no chance */

typedef struct task {
    tgi_tune_entry entry;
    double work;
    bool is_done;
} task;

typedef struct child {
    pid_t pid;
    int from; /* its standard output */
    char text[MAX_LINE];
    size_t n;
} child;

typedef struct session {
    tg_device *dev;
    task *tasks;
    size_t n;
    double deadline, patience;
    const tgi_conv_algorithm *out[TGI_TUNE_MAX_CANDIDATES]; /* crashed or hung: not tried again */
    size_t n_out;
    size_t at; /* what the child is busy with */
    const tgi_conv_algorithm *running;
} session;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_work(const void *a, const void *b)
{
    double x = ((const task *)a)->work, y = ((const task *)b)->work;

    return x > y ? -1 : x < y;
}

static bool has_a_chance(const tgi_conv_algorithm *algorithm, const task *t)
{
    const tgi_conv *c = &t->entry.layer.conv;

    if (algorithm->id == TG_CONV_DIRECT)
        return t->work <= few_operations;
    return algorithm->id != TG_CONV_FFT || c->r >= FFT_KERNEL || c->s >= FFT_KERNEL;
}

static void add_candidate(task *t, const tgi_conv_algorithm *algorithm)
{
    tgi_tune_entry *e = &t->entry;

    for (size_t i = 0; i < e->n_results; i++) {
        if (e->results[i].algorithm == algorithm)
            return;
    }
    if (e->n_results < TGI_TUNE_MAX_CANDIDATES)
        e->results[e->n_results++] = (tgi_tune_result){.algorithm = algorithm, .ms = -1};
}

/* The rule's choice first: what comes later is compared with it. */
static void find_candidates(tg_device *dev, task *t, bool is_thorough)
{
    const tgi_tune_layer *layer = &t->entry.layer;
    const tgi_conv *c = &layer->conv;

    t->work = (double)c->n * (double)c->k * (double)c->p * (double)c->q * (double)c->c *
              (double)c->r * (double)c->s;
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        const tgi_conv_algorithm *each = tgi_conv_algorithms[i];

        if (each->applies(dev, c, layer->pass) && each->suits(dev, c, layer->pass))
            add_candidate(t, each);
    }
    for (size_t i = 0; tgi_conv_algorithms[i]; i++) {
        const tgi_conv_algorithm *each = tgi_conv_algorithms[i];

        if (each->applies(dev, c, layer->pass) && (is_thorough || has_a_chance(each, t)))
            add_candidate(t, each);
    }
    if (!t->entry.n_results)
        add_candidate(t, &tgi_conv_direct);
}

/* ---- the child ---- */

/* This program, if it is one of ours: another one would not know what to do. */
static tg_status own_path(char path[MAX_PATH])
{
    ssize_t n = readlink("/proc/self/exe", path, MAX_PATH - 1);
    const char *name;

    path[n > 0 ? n : 0] = '\0';
    name = strrchr(path, '/');
    name = name ? name + 1 : path;
    if (!strncmp(name, "lt-", 3)) /* libtool's name for it in the build folder */
        name += 3;
    if (strncmp(name, "taggan-", 7) != 0)
        return tg_fail(TG_ERR_UNSUPPORTED,
                       "only TagGAN's own programs can measure: use `taggan-devices tune`");
    return TG_OK;
}

static bool is_out(const session *s, const tgi_conv_algorithm *algorithm)
{
    for (size_t i = 0; i < s->n_out; i++) {
        if (s->out[i] == algorithm)
            return true;
    }
    return false;
}

static FILE *write_tasks(const session *s)
{
    FILE *file = tmpfile();
    char layer[TGI_TUNE_LAYER_TEXT];

    if (!file)
        return NULL;
    fprintf(file, "device %zu family %d\n", s->dev->info.index, (int)s->dev->family);
    for (size_t i = 0; i < s->n; i++) {
        const tgi_tune_entry *e = &s->tasks[i].entry;

        if (s->tasks[i].is_done)
            continue;
        tgi_tune_layer_print(&e->layer, layer);
        fprintf(file, "layer %zu %s :", i, layer);
        for (size_t k = 0; k < e->n_results; k++) {
            if (!*e->results[k].problem && !is_out(s, e->results[k].algorithm))
                fprintf(file, " %s", e->results[k].algorithm->name);
        }
        fprintf(file, "\n");
    }
    if (fflush(file) || fseek(file, 0, SEEK_SET)) {
        fclose(file);
        return NULL;
    }
    return file;
}

static tg_status start(const session *s, child *c)
{
    tg_status status = TG_OK;
    posix_spawn_file_actions_t actions;
    char path[MAX_PATH], worker[] = TGI_TUNE_WORKER;
    char *argv[] = {path, worker, NULL};
    int ends[2] = {-1, -1}, code;
    FILE *tasks = NULL;

    *c = (child){.from = -1};
    TG_TRY(own_path(path));
    tasks = write_tasks(s);
    if (!tasks || pipe(ends)) {
        status = tg_fail(TG_ERR_IO, "cannot start a process that measures: %s", strerror(errno));
        goto cleanup;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(tasks), 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    /* compilers' chatter; what matters comes through the pipe */
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    code = posix_spawn(&c->pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code) {
        c->pid = 0;
        status = tg_fail(TG_ERR_IO, "cannot start '%s': %s", path, strerror(code));
        goto cleanup;
    }
    c->from = ends[0];
    ends[0] = -1;
cleanup:
    if (tasks)
        fclose(tasks);
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
    }
    return status;
}

typedef enum ending { ENDED_WELL, CRASHED, HUNG, OUT_OF_TIME, STOPPED } ending;

static tgi_tune_result *result_of(task *t, const tgi_conv_algorithm *algorithm)
{
    for (size_t i = 0; i < t->entry.n_results; i++) {
        if (t->entry.results[i].algorithm == algorithm)
            return &t->entry.results[i];
    }
    return NULL;
}

/* What the rule would take stands first, and has to be beaten by more than what clocks and neighbours do to a measurement. */
static void finish_task(task *t)
{
    tgi_tune_entry *e = &t->entry;
    double best = -1;

    t->is_done = true;
    e->is_verified = true; /* the child compared it with plain C */
    for (size_t i = 0; i < e->n_results; i++) {
        double ms = e->results[i].ms * (i ? 1 : rule_bonus);

        if (ms >= 0 && (best < 0 || ms < best)) {
            best = ms;
            e->winner = e->results[i].algorithm;
        }
    }
}

/* A line that is not the child's own is ignored; so is one that makes no sense. */
static void take_line(session *s, const char *line)
{
    char name[32] = "";
    size_t id;
    int words = 0;

    if (sscanf(line, "tune end %zu", &id) == 1 && id < s->n) {
        finish_task(&s->tasks[id]);
        s->running = NULL;
        return;
    }
    if (sscanf(line, "tune %*[a-z] %zu %31s %n", &id, name, &words) != 2 || id >= s->n)
        return;
    const tgi_conv_algorithm *algorithm = tgi_conv_named(name);
    tgi_tune_result *result = algorithm ? result_of(&s->tasks[id], algorithm) : NULL;
    if (!result)
        return;
    if (!strncmp(line, "tune run ", 9)) {
        s->at = id;
        s->running = algorithm;
    } else if (!strncmp(line, "tune bad ", 9)) {
        snprintf(result->problem, sizeof result->problem, "%s", words ? line + words : "it fails");
    } else if (!strncmp(line, "tune ms ", 8)) {
        result->ms = strtod(line + words, NULL);
    }
}

/* Reads until the child ends, is silent for too long, or the time is over. */
static ending listen(session *s, child *c)
{
    for (;;) {
        double left = s->deadline - now_s(), wait = left < s->patience ? left : s->patience;
        struct pollfd event = {c->from, POLLIN, 0};
        char *newline;
        ssize_t n;
        int ready = wait > 0 ? poll(&event, 1, (int)(wait * 1e3) + 1) : 0;

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return left <= s->patience ? OUT_OF_TIME : HUNG;
        n = read(c->from, c->text + c->n, sizeof c->text - 1 - c->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ENDED_WELL; /* or not: its status will tell */
        c->n += (size_t)n;
        c->text[c->n] = '\0';
        while ((newline = strchr(c->text, '\n'))) {
            *newline = '\0';
            take_line(s, c->text);
            c->n -= (size_t)(newline + 1 - c->text);
            memmove(c->text, newline + 1, c->n + 1);
        }
        if (c->n == sizeof c->text - 1)
            c->n = 0; /* a driver's endless line */
    }
}

/* Ends the child where it has not ended, and puts what happened into words. */
static ending end_child(child *c, ending how, char *words, size_t size)
{
    int code = 0;

    if (how != ENDED_WELL)
        kill(c->pid, SIGKILL);
    while (waitpid(c->pid, &code, 0) < 0 && errno == EINTR)
        ;
    close(c->from);
    if (how != ENDED_WELL)
        return how;
    if (WIFSIGNALED(code)) {
        if (WTERMSIG(code) == SIGINT || WTERMSIG(code) == SIGTERM || WTERMSIG(code) == SIGHUP)
            return STOPPED; /* by the user, who stopped us too */
        snprintf(words, size, "it crashed (signal %d)", WTERMSIG(code));
        return CRASHED;
    }
    if (WEXITSTATUS(code)) {
        snprintf(words, size, "it ended the process (status %d)", WEXITSTATUS(code));
        return CRASHED;
    }
    return ENDED_WELL;
}

/* From now on without the candidate that was running. */
static tg_status leave_out(session *s, const char *words)
{
    tgi_tune_result *result = s->running ? result_of(&s->tasks[s->at], s->running) : NULL;

    if (!result || s->n_out == TGI_TUNE_MAX_CANDIDATES)
        return tg_fail(TG_ERR_DEVICE, "the process that measures does not work: %s", words);
    snprintf(result->problem, sizeof result->problem, "%s", words);
    result->ms = -1;
    s->out[s->n_out++] = s->running;
    tg_log(TG_LOG_WARNING, "tuning: algorithm %s is left out on this device: %s", s->running->name,
           words);
    s->running = NULL;
    return TG_OK;
}

static size_t count_left(const session *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        n += !s->tasks[i].is_done;
    return n;
}

static tg_status run_children(session *s)
{
    tg_status status = TG_OK;

    while (count_left(s)) {
        char words[TGI_TUNE_REASON] = "";
        size_t before = count_left(s);
        child c;
        ending how;

        TG_TRY(start(s, &c));
        how = end_child(&c, listen(s, &c), words, sizeof words);
        if (how == HUNG)
            snprintf(words, sizeof words, "it did not answer for %.0f s", s->patience);
        if (how == CRASHED || how == HUNG)
            TG_TRY(leave_out(s, words));
        else if (how == OUT_OF_TIME || how == STOPPED || count_left(s) == before)
            break;
    }
cleanup:
    return status;
}

tg_status tgi_tune_run(tg_device *dev, const tgi_tune_layer *layers, size_t n, tgi_tune_opts *opts,
                       tgi_tune_table *out)
{
    tg_status status = TG_OK;
    double begin = now_s();
    session s = {
        .dev = dev, .n = n, .deadline = begin + opts->seconds, .patience = opts->seconds / 2};

    if (s.patience > most_patience)
        s.patience = most_patience;
    if (s.patience < least_patience)
        s.patience = least_patience;
    TG_TRY(tgi_alloc(n, sizeof *s.tasks, &s.tasks));
    for (size_t i = 0; i < n; i++) {
        s.tasks[i].entry.layer = layers[i];
        find_candidates(dev, &s.tasks[i], opts->is_thorough);
    }
    qsort(s.tasks, n, sizeof *s.tasks, by_work);
    status = run_children(&s);
    for (size_t i = 0; i < n; i++) {
        if (s.tasks[i].is_done && s.tasks[i].entry.winner &&
            tgi_tune_put(out, &s.tasks[i].entry) != TG_OK)
            break;
    }
    if (status == TG_OK && count_left(&s))
        tg_log(TG_LOG_INFO, "tuning: time ended with %zu of %zu layers left, computed by rule",
               count_left(&s), n);
cleanup:
    opts->seconds -= now_s() - begin;
    free(s.tasks);
    return status;
}
