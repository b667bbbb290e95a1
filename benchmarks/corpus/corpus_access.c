/* Apache/nginx access lines in the combined log format; the running number is the query ?n=123. */
#include "corpus_pen.h"

static const corpus_word requests[] = {CORPUS_WORD("GET /"),
                                       CORPUS_WORD("GET /assets/app.js"),
                                       CORPUS_WORD("GET /api/v1/appointments"),
                                       CORPUS_WORD("POST /api/leads"),
                                       CORPUS_WORD("PUT /api/bonds/44"),
                                       CORPUS_WORD("GET /health")};
static const corpus_word statuses[] = {CORPUS_WORD("200"), CORPUS_WORD("200"), CORPUS_WORD("200"),
                                       CORPUS_WORD("204"), CORPUS_WORD("304"), CORPUS_WORD("301"),
                                       CORPUS_WORD("404"), CORPUS_WORD("502")};
static const corpus_word users[] = {CORPUS_WORD("-"), CORPUS_WORD("-"), CORPUS_WORD("-"),
                                    CORPUS_WORD("anna")};
static const corpus_word referers[] = {CORPUS_WORD("-"), CORPUS_WORD("https://www.example.com/"),
                                       CORPUS_WORD("https://search.example.org/?q=bail+bonds")};
static const corpus_word agents[] = {
    CORPUS_WORD(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/122.0.0.0 Safari/537.36"),
    CORPUS_WORD("Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0"),
    CORPUS_WORD("curl/8.5.0"),
};

/* The record's date as 01/Mar/2024:12:00:00 +0000. */
static void put_date(corpus_pen *pen)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[19];
    corpus_pen date = *pen;
    date.at = text;
    pen_second(&date, ' ');
    int month = (text[5] - '0') * 10 + (text[6] - '0');
    pen_bytes(pen, text + 8, 2);
    PEN_LIT(pen, "/");
    pen_bytes(pen, months + 3 * (month - 1), 3);
    PEN_LIT(pen, "/");
    pen_bytes(pen, text, 4);
    PEN_LIT(pen, ":");
    pen_bytes(pen, text + 11, 8);
    PEN_LIT(pen, " +0000");
}

void corpus_access(corpus_pen *pen)
{
    PEN_LIT(pen, "203.0.113.");
    pen_u64(pen, 1 + rng_below(pen, 254));
    PEN_LIT(pen, " - ");
    CORPUS_PICK(pen, users);
    PEN_LIT(pen, " [");
    put_date(pen);
    PEN_LIT(pen, "] \"");
    CORPUS_PICK(pen, requests);
    PEN_LIT(pen, "?n=");
    pen_u64(pen, pen->n);
    PEN_LIT(pen, " HTTP/1.1\" ");
    CORPUS_PICK(pen, statuses);
    PEN_LIT(pen, " ");
    pen_u64(pen, rng_below(pen, 60000));
    PEN_LIT(pen, " \"");
    CORPUS_PICK(pen, referers);
    PEN_LIT(pen, "\" \"");
    CORPUS_PICK(pen, agents);
    PEN_LIT(pen, "\"");
}
