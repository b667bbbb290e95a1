/* suggest.h: "did you mean": the known name nearest to a word that is not known. */
#ifndef SLUICE_CONFIG_SUGGEST_H
#define SLUICE_CONFIG_SUGGEST_H

#include <sluice/base.h>

#define SL_SUGGEST_MAX 64 /* bytes; longer words and names are not compared */

typedef struct sl_suggest {
    sl_span word;
    const char *best; /* NULL: nothing offered so far is near enough */
    size_t distance;
} sl_suggest;

static inline sl_suggest sl_suggest_for(sl_span word)
{
    return (sl_suggest){word, NULL, SIZE_MAX};
}

/* Offers a name (kept by pointer). Near enough is: up to one edit (insert, remove, change, swap neighbours)
 * for each three characters; case and `-` against `_` count for nothing. The nearest wins, of equals the
 * first. */
void sl_suggest_offer(sl_suggest *suggest, const char *name);

#endif
