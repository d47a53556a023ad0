/* compress.c -- values that backward will not read, given back at the end of a network's forward run; those that it will, kept as half
 * until then on a tape of half precision, and given back once they were read.
 *
 * A value that goes away keeps its tensor, which has the sizes that gradients are made from, and loses the memory. Vars that share
 * one tensor, by operations in place, are one value here: that of the last, which owns it. */
#include "config.h"
#include "op/op.h"
#include "tape/record.h"

#include "base/banned.h"

/* Below this a launch costs more than the memory is worth. */
enum { WORTH_BYTES = 16 << 10 };

/* Who owns the var's tensor. */
static tgi_var *owner_of(tgi_var *var)
{
    while (var->heir)
        var = var->heir;
    return var;
}

/* The k-th of the vars a node's backward reads: inputs, then the output; NULL for one that it does not read. */
static tgi_var *read_at(const tgi_node *node, size_t k)
{
    if (k == TGI_MAX_INPUTS)
        return node->kind->traits & TGI_UNREAD_OUTPUT ? NULL : owner_of(node->out);
    if (node->kind->traits & TGI_UNREAD_INPUTS || !node->in[k])
        return NULL;
    return owner_of(node->in[k]);
}

static void find_reads(tgi_tape *tape, tgi_tape_mark since)
{
    size_t n = tgi_tape_here(tape).nodes;

    for (size_t i = since.nodes; i < n; i++) {
        const tgi_node *node = tgi_tape_node_at(tape, i);

        for (size_t k = 0; k < TGI_MAX_EXPANDED; k++) {
            tgi_var *var = read_at(node, k);

            if (!var)
                continue;
            var->is_read = true;
            if (k == 0 && node->kind->traits & TGI_SAVES_MEANS)
                var->centre = node->saved[0];
            var->is_weight |= k > 0 && k < TGI_MAX_INPUTS;
        }
    }
}

static bool is_kept(tgi_var *var, tgi_var *const *keep, size_t n_keep)
{
    for (size_t i = 0; i < n_keep; i++) {
        if (keep[i] && owner_of(keep[i]) == var)
            return true;
    }
    return false;
}

static tg_status put_away(const tgi_tape *tape, tgi_var *var)
{
    tg_status status = TG_OK;
    size_t n = tg_tensor_count(var->value);

    if (var->is_read) {
        var->is_spent_after = tgi_tape_spends(tape) && !var->is_weight;
        if (tgi_tape_precision_of(tape) != TGI_PRECISION_HALF || var->is_weight ||
            n * sizeof(float) < WORTH_BYTES)
            return TG_OK;
        TG_TRY(tg_tensor_new(var->value->dev, tgi_half_dims(n), &var->half));
        TG_TRY(tgi_half_from_float(var->value, var->centre, var->half));
    }
    tgi_tensor_away(var->value);
cleanup:
    return status;
}

tg_status tgi_tape_compress(tgi_tape *tape, tgi_tape_mark since, tgi_var *const *keep,
                            size_t n_keep)
{
    tg_status status = TG_OK;
    size_t n = tgi_tape_here(tape).vars;

    find_reads(tape, since);
    for (size_t i = since.vars; i < n; i++) {
        tgi_var *var = tgi_tape_var_at(tape, i);

        if (var->owns_value && var->value->mem && !is_kept(var, keep, n_keep))
            TG_TRY(put_away(tape, var));
    }
cleanup:
    return status;
}

/* Everything that read it came later in the record, and has gone backward before. */
void tgi_tape_spend(tgi_node *node)
{
    tgi_var *var = node->out;

    if (!var->is_spent_after || !var->owns_value)
        return;
    tg_tensor_free(var->half);
    var->half = NULL;
    if (var->value->mem)
        tgi_tensor_away(var->value);
}

static bool is_expanded(const tgi_expanded *set, const tgi_var *var)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->vars[i] == var)
            return true;
    }
    return false;
}

/* The half is still there, so that only the memory goes. */
void tgi_tape_shrink(tgi_expanded *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->vars[i]->value->mem) /* else it was spent */
            tgi_tensor_away(set->vars[i]->value);
    }
    set->n = 0;
}

static bool reads(const tgi_node *node, const tgi_var *var)
{
    for (size_t k = 0; k < TGI_MAX_EXPANDED; k++) {
        if (read_at(node, k) == var)
            return true;
    }
    return false;
}

/* What the node reads too stays, so that a value of two neighbours is expanded once. */
static void shrink_to(const tgi_node *node, tgi_expanded *set)
{
    tgi_expanded kept = {0}, rest = {0};

    for (size_t i = 0; i < set->n; i++) {
        tgi_expanded *to = reads(node, set->vars[i]) ? &kept : &rest;

        to->vars[to->n++] = set->vars[i];
    }
    tgi_tape_shrink(&rest);
    *set = kept;
}

tg_status tgi_tape_expand(const tgi_node *node, tgi_expanded *set)
{
    tg_status status = TG_OK;

    shrink_to(node, set);
    for (size_t k = 0; k < TGI_MAX_EXPANDED; k++) {
        tgi_var *var = read_at(node, k);

        if (!var || !var->half || is_expanded(set, var))
            continue;
        TG_TRY(tgi_tensor_back(var->value));
        set->vars[set->n++] = var;
        TG_TRY(tgi_half_to_float(var->half, var->centre, var->value));
    }
cleanup:
    return status;
}
