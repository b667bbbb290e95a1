/* Stands in until dead_letter.c lands: delete this file then. */
#include "delivery.h"
struct sl_dead_letters {
    int n;
};
sl_dead_letters *sl_dead_letters_open(const char *d, const char *p, sl_err *e)
{
    (void)d;
    (void)p;
    (void)e;
    return sl_calloc(1, 8);
}
void sl_dead_letters_close(sl_dead_letters *l)
{
    sl_free(l);
}
int sl_dead_letters_write(sl_dead_letters *l, const sl_dead_letter *x, size_t n, sl_err *e)
{
    (void)l;
    (void)x;
    (void)n;
    (void)e;
    return 0;
}
