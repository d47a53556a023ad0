/* keys.c -- sorted texts to find by, and the few rules on names that readers share. */
#include "config.h"
#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/banned.h"

static int by_text(const void *a, const void *b)
{
    const tgi_key *first = a, *second = b;
    const int order = strcmp(first->text, second->text);

    return order ? order : (first->i > second->i) - (first->i < second->i);
}

void tgi_keys_sort(tgi_key *keys, size_t n)
{
    qsort(keys, n, sizeof *keys, by_text);
}

const tgi_key *tgi_keys_find(const tgi_key *keys, size_t n, const char *text)
{
    size_t low = 0, high = n;

    while (low < high) { /* the first of several */
        const size_t middle = low + (high - low) / 2;

        if (strcmp(keys[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && strcmp(keys[low].text, text) == 0 ? &keys[low] : NULL;
}

size_t tgi_stem_size(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

bool tgi_is_image_name(const char *name)
{
    static const char *const extensions[] = {"png", "jpg", "jpeg", "jfif", "dcm", "dicom"};
    const char *dot = strrchr(name, '.');

    for (size_t k = 0; dot && dot != name && k < TG_COUNT(extensions); k++)
        if (tgi_same_word(dot + 1, extensions[k]))
            return true;
    return false;
}

bool tgi_is_healthy_name(const char *name, const char *also)
{
    return !*name || tgi_same_word(name, "healthy") || tgi_same_word(name, "normal") ||
           tgi_same_word(name, "no finding") || (also && tgi_same_word(name, also));
}
