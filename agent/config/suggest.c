/* suggest.c: the Damerau-Levenshtein distance in its restricted form (optimal string alignment), over three
 * rows. */
#include "suggest.h"

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(sl_span a, sl_span b)
{
    size_t rows[3][SL_SUGGEST_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t k = 0; k <= b.len; k++)
        last[k] = k;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t k = 1; k <= b.len; k++) {
            char x = fold(a.ptr[i - 1]), y = fold(b.ptr[k - 1]);
            size_t best = least(last[k] + 1, row[k - 1] + 1);
            best = least(best, last[k - 1] + (x != y));
            if (i > 1 && k > 1 && x == fold(b.ptr[k - 2]) && fold(a.ptr[i - 2]) == y)
                best = least(best, before[k - 2] + 1);
            row[k] = best;
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b.len];
}

void sl_suggest_offer(sl_suggest *suggest, const char *name)
{
    sl_span other = sl_span_of(name);
    if (suggest->word.len > SL_SUGGEST_MAX || other.len > SL_SUGGEST_MAX || !suggest->word.len) return;
    size_t longest = suggest->word.len > other.len ? suggest->word.len : other.len;
    size_t allowed = (longest + 2) / 3;
    size_t d = distance(suggest->word, other);
    if (d > allowed || d >= suggest->distance || d >= longest) return;
    suggest->best = name;
    suggest->distance = d;
}
