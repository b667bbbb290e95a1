/* The parts that records of several kinds are written from: random identifiers, dates, the running number. */
#include "corpus_pen.h"

#define NS_IN_SECOND 1000000000

void pen_hex(corpus_pen *pen, size_t len)
{
    pen_alphabet(pen, "0123456789abcdef", 4, len);
}

void pen_base64url(corpus_pen *pen, size_t len)
{
    pen_alphabet(pen, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, len);
}

void pen_uuid(corpus_pen *pen)
{
    char *start = pen->at;
    static const int groups[] = {8, 4, 4, 4, 12};
    for (int i = 0; i < 5; i++) {
        if (i) *pen->at++ = '-';
        pen_hex(pen, (size_t)groups[i]);
    }
    start[14] = '4';
    start[19] = "89ab"[start[19] & 3];
}

/* The proleptic Gregorian date of a day counted from 1970, by eras of 400 years that start on 1 March. */
static void date_of_day(int64_t day, int *year, int *month, int *mday)
{
    int64_t shifted = day + 719468;
    int64_t era = shifted / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *mday = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(y + era * 400 + (*month <= 2));
}

static void render_second(corpus *gen, int64_t second)
{
    int year, month, mday;
    date_of_day(second / 86400, &year, &month, &mday);
    int64_t of_day = second % 86400;
    corpus_pen pen = {.at = gen->second_text};
    pen_padded(&pen, (uint64_t)year, 4);
    *pen.at++ = '-';
    pen_padded(&pen, (uint64_t)month, 2);
    *pen.at++ = '-';
    pen_padded(&pen, (uint64_t)mday, 2);
    *pen.at++ = ' ';
    pen_padded(&pen, (uint64_t)of_day / 3600, 2);
    *pen.at++ = ':';
    pen_padded(&pen, (uint64_t)of_day / 60 % 60, 2);
    *pen.at++ = ':';
    pen_padded(&pen, (uint64_t)of_day % 60, 2);
    gen->cached_second = second;
}

void pen_second(corpus_pen *pen, char separator)
{
    int64_t second = pen->time_ns / NS_IN_SECOND;
    if (second != pen->gen->cached_second) render_second(pen->gen, second);
    pen_bytes(pen, pen->gen->second_text, sizeof(pen->gen->second_text));
    pen->at[-9] = separator;
}

void pen_fraction(corpus_pen *pen, int width)
{
    pen_padded(pen, (uint64_t)(pen->time_ns % NS_IN_SECOND) / (width == 3 ? 1000000 : 1000), width);
}

void pen_number(corpus_pen *pen, const char *gap)
{
    size_t gap_len = strlen(gap);
    PEN_LIT(pen, "\"n\":");
    pen_bytes(pen, gap, gap_len);
    pen_u64(pen, pen->n);
    PEN_LIT(pen, ",");
    pen_bytes(pen, gap, gap_len);
    if (pen->written_ns <= 0) return;
    PEN_LIT(pen, "\"t\":");
    pen_bytes(pen, gap, gap_len);
    pen_u64(pen, (uint64_t)pen->written_ns);
    PEN_LIT(pen, ",");
    pen_bytes(pen, gap, gap_len);
}
