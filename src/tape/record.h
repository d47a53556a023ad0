/* record.h -- the inside of a tape, for the files that put operations on it. */
#ifndef TGI_TAPE_RECORD_H
#define TGI_TAPE_RECORD_H

#include "tape/tape.h"

typedef struct tgi_node tgi_node;

/* What a backward never reads of the values (parameters can always be read), and whether saved[0] holds the means of input 0's planes,
 * which are then what it is kept as the difference from. */
enum { TGI_UNREAD_INPUTS = 1, TGI_UNREAD_OUTPUT = 2, TGI_SAVES_MEANS = 4 };

/* One kind of operation. A tangent records itself on `to`: t_in[i] is the derivative of input i or NULL when that is zero. */
typedef struct tgi_node_kind {
    const char *name;
    tg_status (*backward)(tgi_tape *tape, tgi_node *node);
    tg_status (*tangent)(const tgi_node *node, tgi_tape *to, tgi_var *const *t_in,
                         tgi_var **t_out); /* may be NULL */
    unsigned traits;                       /* of those above; 0: backward may read all */
} tgi_node_kind;

enum { TGI_MAX_INPUTS = 3, TGI_MAX_SAVED = 3 };

struct tgi_node {
    const tgi_node_kind *kind;
    tgi_var *in[TGI_MAX_INPUTS], *out;
    tg_tensor *saved[TGI_MAX_SAVED]; /* owned by the node */
    const tg_tensor *borrowed[2];    /* labels, vectors of the network */
    union {
        float alpha;
        struct {
            float low, high;
        } clamp;
        struct {
            tg_activation f;
            float slope;
        } activation;
        size_t s;
        size_t first; /* of some samples */
        struct {
            tg_pool_kind kind;
            size_t size, stride;
        } pool;
        tg_plane_pool plane_pool;
        tg_conv2d_geom geom;
    } opts;
};

/* A new var of these sizes whose gradient is wanted when any input's is; *node is NULL when nothing need be remembered, else a
 * node with kind, in and out set (missing inputs are NULL). */
tg_status tgi_tape_record(tgi_tape *tape, const tgi_node_kind *kind,
                          tgi_var *const in[TGI_MAX_INPUTS], tg_dims dims, tgi_var **out,
                          tgi_node **node) TG_MUST_CHECK;

/* As tgi_tape_wanted(), for an operation that can set as well as add: where nothing was added yet the tensor holds no zeros, and
 * *write is TGI_SET: every value must be written. */
tg_status tgi_tape_claim(tgi_tape *tape, tgi_var *var, tg_tensor **grad,
                         tgi_write *write) TG_MUST_CHECK;
/* Adds the gradient of the node's output to an input's, as sums do: the tensor itself where the input has none yet, so that it may
 * be done once for a node, last. */
tg_status tgi_tape_give(tgi_tape *tape, tgi_node *node, tgi_var *to) TG_MUST_CHECK;

/* As tgi_tape_record(), with x's tensor taken over by *out: for operations in place whose input nobody reads again. */
tg_status tgi_tape_record_here(tgi_tape *tape, const tgi_node_kind *kind, tgi_var *x, tgi_var **out,
                               tgi_node **node) TG_MUST_CHECK;

/* What the tape multiplies the gradients of losses by. */
float tgi_tape_scale_of(const tgi_tape *tape);

/* compress.c: values that went away come back around each node's backward. A set holds what is expanded now; start from {0}. */
enum { TGI_MAX_EXPANDED = TGI_MAX_INPUTS + 1 };
typedef struct tgi_expanded {
    tgi_var *vars[TGI_MAX_EXPANDED];
    size_t n;
} tgi_expanded;
/* Expands what the node's backward reads; what it does not read of the earlier goes away again. */
tg_status tgi_tape_expand(const tgi_node *node, tgi_expanded *set) TG_MUST_CHECK;
void tgi_tape_shrink(tgi_expanded *set);
/* Record i, and how many there are. */
tgi_var *tgi_tape_var_at(const tgi_tape *tape, size_t i);
tgi_node *tgi_tape_node_at(const tgi_tape *tape, size_t i);
tgi_precision tgi_tape_precision_of(const tgi_tape *tape);

/* Whether backward may give values back (tgi_tape_spend_values). */
bool tgi_tape_spends(const tgi_tape *tape);
/* After the node's backward: its output's value, where nobody needs it any more, goes back to the pool. */
void tgi_tape_spend(tgi_node *node);

/* The gradient tensor of an input, or NULL where none is wanted (or the input is absent). */
tg_status tgi_tape_wanted(tgi_tape *tape, tgi_var *var, tg_tensor **grad) TG_MUST_CHECK;

#endif
