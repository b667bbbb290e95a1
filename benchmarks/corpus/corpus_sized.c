/* JSON records of one exact size: the fixed fields, then rows of an array while they fit, then words as
 * padding. */
#include "corpus_pen.h"

#define ROW_ROOM 96 /* bytes; more than one row and the closing of the record take */

static void put_row(corpus_pen *pen)
{
    static const corpus_word names[] = {CORPUS_WORD("alpha"), CORPUS_WORD("beta"), CORPUS_WORD("gamma"),
                                        CORPUS_WORD("delta")};
    PEN_LIT(pen, "{\"id\":");
    pen_u64(pen, rng_below(pen, 1000000));
    PEN_LIT(pen, ",\"name\":\"");
    CORPUS_PICK(pen, names);
    PEN_LIT(pen, "\",\"ok\":true}");
}

void corpus_sized(corpus_pen *pen)
{
    static const char words[] = "the quick brown fox jumps over the lazy dog and then it rests a while ";
    char *end = pen->at + pen->gen->size - 1; /* the newline follows */
    PEN_LIT(pen, "{\"timestamp\":\"");
    pen_second(pen, 'T');
    PEN_LIT(pen, "Z\",");
    pen_number(pen, "");
    if (end - pen->at > 2 * ROW_ROOM) {
        PEN_LIT(pen, "\"items\":[");
        put_row(pen);
        while (end - pen->at > 2 * ROW_ROOM) {
            PEN_LIT(pen, ",");
            put_row(pen);
        }
        PEN_LIT(pen, "],");
    }
    PEN_LIT(pen, "\"pad\":\"");
    for (char *close = end - 2; pen->at < close;) {
        size_t left = (size_t)(close - pen->at);
        pen_bytes(pen, words, left < sizeof(words) - 1 ? left : sizeof(words) - 1);
    }
    PEN_LIT(pen, "\"}");
}
