/** \file taggan/status.h
 *  How a call fails: every function that can fail returns a tg_status, and leaves a sentence for people.
 *  Nothing in the library prints or exits; it speaks through tg_error_message() and the log callback.
 */
#ifndef TAGGAN_STATUS_H
#define TAGGAN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TG_MUST_CHECK          __attribute__((warn_unused_result))
#define TG_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TG_MUST_CHECK
#define TG_PRINTF(text, first)
#endif

/** What kind of failure it was. The sentence in tg_error_message() says the rest. */
typedef enum tg_status {
    TG_OK = 0,
    TG_ERR_ARGUMENT,    /**< a value outside its range, or options that contradict each other */
    TG_ERR_SHAPE,       /**< tensors whose sizes do not fit one another */
    TG_ERR_MEMORY,      /**< host or device memory ran out, or a size overflows */
    TG_ERR_IO,          /**< the operating system refused a file */
    TG_ERR_FORMAT,      /**< a file was read and its content is not what it should be */
    TG_ERR_DEVICE,      /**< no device, or none that fits the wish */
    TG_ERR_OPENCL,      /**< an OpenCL call failed; the message names it */
    TG_ERR_NUMERIC,     /**< numbers that are not finite where they must be */
    TG_ERR_UNSUPPORTED, /**< understood, but this build or this device cannot do it */
    TG_ERR_STOPPED      /**< stopped on request */
} tg_status;

/** The sentence for the last failure in this thread; "" when there was none. Valid until the next failure. */
const char *tg_error_message(void);

/** Short English name of a status, for example "shape". Never NULL. */
const char *tg_status_name(tg_status status);

/** Keeps a sentence for this thread and returns \p status: `return tg_fail(TG_ERR_SHAPE, "...", ...);`.
 *  A message begins in lower case, has no full stop, and says what failed first. */
tg_status tg_fail(tg_status status, const char *format, ...) TG_PRINTF(2, 3);

/** Puts "WHAT: " in front of the sentence that is there, and returns \p status unchanged. */
tg_status tg_fail_in(tg_status status, const char *format, ...) TG_PRINTF(2, 3);

typedef enum tg_log_level { TG_LOG_ERROR, TG_LOG_WARNING, TG_LOG_INFO, TG_LOG_DEBUG } tg_log_level;

/** Called with one line without a newline. May be called from any thread. */
typedef void tg_log_fn(tg_log_level level, const char *line, void *user);

/** Where the library's lines go, process-wide; NULL (at first) drops them. Set it before other threads start. */
void tg_log_set(tg_log_fn *fn, void *user);

/** One line to the callback. */
void tg_log(tg_log_level level, const char *format, ...) TG_PRINTF(2, 3);

/** The library's version, for example "0.3.0". */
const char *tg_version(void);

#ifdef __cplusplus
}
#endif
#endif
