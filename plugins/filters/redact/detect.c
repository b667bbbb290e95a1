/* detect.c: from marks to hits. At each mark the detectors that may have set it look; then the user's
 * patterns run over the whole text. Hits that overlap become one: all that any of them covers is a secret.
 *
 * A detector is not asked about a place that its own last hit covers: that keeps the cost of texts full of
 * marks linear. Others are asked, for their hit may reach further.
 */
#include "redact_int.h"

#include <stdlib.h>

typedef struct finder {
    redact *r;
    sl_span text;
    redact_hits *hits;
    size_t covered[REDACT_DETECTOR_COUNT]; /* end of the detector's last hit */
} finder;

static void found(finder *f, uint32_t detector, size_t start, size_t end)
{
    f->covered[detector] = end;
    redact__add_hit(f->r, f->hits, start, end, detector);
}

static void ask(finder *f, uint32_t detector, redact_detector detect, size_t at)
{
    size_t start, end;

    if (!(f->r->rules->detect >> detector & 1) || at < f->covered[detector]) return;
    if (detect(f->text, at, &start, &end)) found(f, detector, start, end);
}

static bool is_in_run(sl_span text, size_t at)
{
    char c = char_at(text, at);

    return is_digit(c) || ((c == ' ' || c == '-') && is_digit(char_at(text, at - 1)));
}

/* Cards: the mark is the 13th byte of a run, which may hold several. */
static void ask_card(finder *f, size_t at)
{
    size_t start, end, from = at - 12;

    if (!(f->r->rules->detect & REDACT_BIT(CARD)) || at < 12) return;
    for (size_t i = from; i <= at; i++) {
        if (!is_in_run(f->text, i)) return; /* another detector's mark */
    }
    if (from > 0 && is_in_run(f->text, from - 1)) return;
    while (detect_card(f->text, from, &start, &end)) {
        found(f, REDACT_CARD, start, end);
        from = end;
    }
}

typedef bool (*named_detector)(const redact_rules *rules, sl_span text, size_t at, size_t after,
                               redact_named *found);

static void ask_named(finder *f, named_detector detect, size_t at)
{
    redact_named named;

    if (!(f->r->rules->detect & REDACT_BIT(KEY_VALUE))) return;
    if (!detect(f->r->rules, f->text, at, f->covered[REDACT_KEY_VALUE], &named)) return;
    f->covered[REDACT_KEY_VALUE] = named.end;
    redact__add_hit(f->r, f->hits, named.start, named.end, (uint32_t)named.rule);
}

static void look_at_digit(finder *f, size_t at)
{
    ask(f, REDACT_EMAIL, detect_email, at);
    ask_card(f, at);
    ask(f, REDACT_IBAN, detect_iban, at);
    ask(f, REDACT_IPV4, detect_ipv4, at);
    ask(f, REDACT_SSN, detect_ssn, at);
    ask(f, REDACT_PHONE, detect_phone, at);
}

static void look(finder *f, size_t at)
{
    char c = f->text.ptr[at];

    if (char_at(f->text, at - 1) == ':') {
        ask_named(f, detect_key_value, at - 1);
        ask(f, REDACT_IPV6, detect_ipv6, at - 1);
    }
    if (char_at(f->text, at - 1) == '3' && char_at(f->text, at - 2) == '%')
        ask_named(f, detect_key_value, at);
    switch (c) {
    case '@': /* one that ends credentials in a URL belongs to no address */
        if (at != f->covered[REDACT_URL_CREDENTIALS]) ask(f, REDACT_EMAIL, detect_email, at);
        break;
    case '/':
        ask(f, REDACT_URL_CREDENTIALS, detect_url_credentials, at);
        if (char_at(f->text, at - 1) == '<') ask_named(f, detect_element, at);
        break;
    case 'J': ask(f, REDACT_JWT, detect_jwt, at); break;
    case 'r':
    case 'R': ask(f, REDACT_BEARER, detect_bearer, at); break;
    case 'c':
    case 'C': ask(f, REDACT_BASIC, detect_basic, at); /* fall through */
    case 'A': ask(f, REDACT_AWS_KEY, detect_aws_key, at); break;
    case '=': ask_named(f, detect_key_value, at); break;
    case '-':
        if (char_at(f->text, at - 1) == '-') ask_named(f, detect_option, at);
        ask(f, REDACT_PRIVATE_KEY, detect_private_key, at); /* fall through */
    case ' ': ask_card(f, at); break;
    default:
        if (is_digit(c)) look_at_digit(f, at);
        break;
    }
}

static void look_at_marks(finder *f, const uint64_t *marks, size_t base)
{
    size_t end = base + f->text.len;

    for (size_t at = base; at < end; at++) {
        uint64_t bits = marks[at / 64] >> (at % 64);
        if (bits == 0) {
            at |= 63;
            continue;
        }
        at += (size_t)__builtin_ctzll(bits);
        if (at < end) look(f, at - base);
    }
}

/* ---- patterns ---------------------------------------------------------------------------------- */

/* A text that a pattern gave up on is taken whole: nobody knows what is in it. */
static void run_pattern(finder *f, const redact_pattern *pattern)
{
    size_t from = 0, start, end;
    bool limited = false;

    while (from <= f->text.len && sl_regex_find(pattern->regex, f->text, from, &start, &end, &limited)) {
        if (end > start) redact__add_hit(f->r, f->hits, start, end, pattern->rule);
        from = end > start ? end : end + 1;
    }
    if (limited) redact__add_hit(f->r, f->hits, 0, f->text.len, pattern->rule);
}

/* ---- hits -------------------------------------------------------------------------------------- */

void redact__add_hit(redact *r, redact_hits *hits, size_t start, size_t end, uint32_t rule)
{
    if (hits->count == hits->cap) {
        uint32_t cap = hits->cap ? 2 * hits->cap : 16;
        redact_hit *items = cap > hits->cap ? sl_try_realloc(hits->items, (size_t)cap * sizeof *items) : NULL;
        if (!items) {
            r->failed = true;
            return;
        }
        hits->items = items;
        hits->cap = cap;
    }
    hits->items[hits->count++] = (redact_hit){(uint32_t)start, (uint32_t)end, rule};
}

/* By start; of those that start together the longest first, then the first rule. */
static int compare_hits(const void *left, const void *right)
{
    const redact_hit *a = left, *b = right;

    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    if (a->end != b->end) return a->end > b->end ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

void redact__join_hits(redact_hits *hits)
{
    uint32_t kept = 0;

    if (hits->count < 2) return;
    qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
    for (uint32_t i = 1; i < hits->count; i++) {
        redact_hit *last = &hits->items[kept];
        if (hits->items[i].start >= last->end)
            hits->items[++kept] = hits->items[i];
        else if (hits->items[i].end > last->end)
            last->end = hits->items[i].end;
    }
    hits->count = kept + 1;
}

void redact__detect(redact *r, unsigned depth, sl_span plain, const uint64_t *marks, size_t base)
{
    redact_level *level = redact__level(r, depth);
    finder f = {.r = r, .text = plain, .hits = &level->hits};

    level->hits.count = 0;
    if (r->rules->detect) look_at_marks(&f, marks, base);
    for (uint32_t i = 0; i < r->rules->pattern_count; i++)
        run_pattern(&f, &r->rules->patterns[i]);
    redact__join_hits(&level->hits);
}
