/* redact_keys.c: which rule names a key.
 *
 * Names without wildcards stand in a hash table by their folded form; globs are tried one after another. Most
 * keys of a log are in no rule, and a look at their first and last byte tells so (redact_keys_may_hold()).
 */
#include "redact_int.h"

#define FIRST_SLOTS 64

/* A glob is folded too. Beside a wildcard a separator keeps a meaning: EDGE. */
enum { GLOB_ONE = 256, GLOB_RUN, GLOB_EDGE };

typedef struct glob {
    uint16_t *op; /* a folded byte, or GLOB_* */
    uint32_t len;
    uint16_t last; /* its last byte, or GLOB_RUN when it may end with any */
    int32_t rule;
} glob;

typedef struct name {
    char *text; /* folded; NULL: the slot is free */
    uint32_t len;
    int32_t rule;
} name;

struct redact_keys {
    name *slots;
    uint32_t slot_count, name_count; /* slot_count is a power of two, at most half full */
    glob *globs;
    uint32_t glob_count;
    /* Bit (last byte & 63) of a word: some name can begin with such a byte, or have such a byte before the
     * last, and end so. */
    uint64_t with_first[64], with_second_last[64];
};

/* ---- folding ----------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == ' ';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static char lower(char c)
{
    return is_upper(c) ? (char)(c | 0x20) : c;
}

/* Whether a word begins at key[i]: behind a separator, at a hump (apiKey), or where a run of capitals ends
 * (HTTPHost). */
static bool begins_word(sl_span key, size_t i)
{
    if (i == 0 || is_separator(key.ptr[i - 1])) return true;
    if (!is_upper(key.ptr[i])) return false;
    return !is_upper(key.ptr[i - 1]) || (i + 1 < key.len && key.ptr[i + 1] >= 'a' && key.ptr[i + 1] <= 'z');
}

/* A key without what does not count. */
typedef struct folded {
    char text[REDACT_MAX_KEY];
    size_t len;
} folded;

static void fold(sl_span key, folded *out)
{
    out->len = 0;
    for (size_t i = 0; i < key.len; i++) {
        if (!is_separator(key.ptr[i])) out->text[out->len++] = lower(key.ptr[i]);
    }
}

/* edge[i]: a word begins at byte i of the folded key; where the key ends one ends too. */
static void find_edges(sl_span spelling, const folded *key, bool *edge)
{
    size_t len = 0;

    for (size_t i = 0; i < spelling.len; i++) {
        if (!is_separator(spelling.ptr[i])) edge[len++] = begins_word(spelling, i);
    }
    edge[len] = true;
    sl_assert(len == key->len);
}

bool redact_names_equal(sl_span a, sl_span b)
{
    size_t i = 0, j = 0;

    for (;;) {
        while (i < a.len && is_separator(a.ptr[i]))
            i++;
        while (j < b.len && is_separator(b.ptr[j]))
            j++;
        if (i == a.len || j == b.len) return i == a.len && j == b.len;
        if (lower(a.ptr[i++]) != lower(b.ptr[j++])) return false;
    }
}

/* ---- names ------------------------------------------------------------------------------------- */

static uint32_t hash_of(const char *text, size_t len)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

static name *find_slot(const redact_keys *keys, const char *text, size_t len)
{
    uint32_t i = hash_of(text, len) & (keys->slot_count - 1);

    while (keys->slots[i].text && (keys->slots[i].len != len || memcmp(keys->slots[i].text, text, len) != 0))
        i = (i + 1) & (keys->slot_count - 1);
    return &keys->slots[i];
}

static void grow_slots(redact_keys *keys)
{
    redact_keys old = *keys;

    keys->slot_count = old.slot_count ? 2 * old.slot_count : FIRST_SLOTS;
    keys->slots = sl_calloc(keys->slot_count, sizeof *keys->slots);
    for (uint32_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i].text) *find_slot(keys, old.slots[i].text, old.slots[i].len) = old.slots[i];
    }
    sl_free(old.slots);
}

static void add_name(redact_keys *keys, const folded *key, int32_t rule)
{
    if (2 * (keys->name_count + 1) > keys->slot_count) grow_slots(keys);
    name *slot = find_slot(keys, key->text, key->len);
    if (!slot->text) {
        *slot = (name){sl_strndup(key->text, key->len), (uint32_t)key->len, rule};
        keys->name_count++;
    } else if (rule == REDACT_EXCEPTED) {
        slot->rule = rule;
    }
}

/* ---- globs ------------------------------------------------------------------------------------- */

static bool is_wildcard(char c)
{
    return c == '*' || c == '?';
}

static void add_glob(redact_keys *keys, sl_span text, int32_t rule)
{
    glob g = {sl_calloc(text.len, sizeof *g.op), 0, 0, rule};

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '*')
            g.op[g.len++] = GLOB_RUN;
        else if (c == '?')
            g.op[g.len++] = GLOB_ONE;
        else if (!is_separator(c))
            g.op[g.len++] = (unsigned char)lower(c);
        else if ((i > 0 && is_wildcard(text.ptr[i - 1])) ||
                 (i + 1 < text.len && is_wildcard(text.ptr[i + 1])))
            g.op[g.len++] = GLOB_EDGE;
    }
    g.last = g.op[g.len - 1] < 256 ? g.op[g.len - 1] : GLOB_RUN;
    keys->globs = sl_realloc(keys->globs, (keys->glob_count + 1) * sizeof *keys->globs);
    keys->globs[keys->glob_count++] = g;
}

/* Wildcards without recursion: after a mismatch the last run takes one byte more. */
static bool glob_matches(const glob *g, const folded *key, const bool *edge)
{
    size_t i = 0, j = 0, run = SIZE_MAX, from = 0;

    for (;;) {
        uint16_t op = i < g->len ? g->op[i] : UINT16_MAX;
        if (op == GLOB_RUN) {
            run = i++;
            from = j;
        } else if (op == GLOB_EDGE && edge[j]) {
            i++;
        } else if (j < key->len && (op == GLOB_ONE || op == (unsigned char)key->text[j])) {
            i++;
            j++;
        } else if (i == g->len && j == key->len) {
            return true;
        } else if (run == SIZE_MAX || from == key->len) {
            return false;
        } else {
            i = run + 1;
            j = ++from;
        }
    }
}

static int32_t find_glob(const redact_keys *keys, sl_span spelling, const folded *key)
{
    bool edge[REDACT_MAX_KEY + 1], have_edges = false;
    int32_t found = REDACT_NO_RULE;

    for (uint32_t i = 0; i < keys->glob_count; i++) {
        const glob *g = &keys->globs[i];
        if (g->last != GLOB_RUN && (key->len == 0 || g->last != (unsigned char)key->text[key->len - 1]))
            continue;
        if (found != REDACT_NO_RULE && g->rule != REDACT_EXCEPTED) continue;
        if (!have_edges) find_edges(spelling, key, edge);
        have_edges = true;
        if (glob_matches(g, key, edge)) found = g->rule;
        if (found == REDACT_EXCEPTED) break;
    }
    return found;
}

/* ---- first and last bytes ---------------------------------------------------------------------- */

/* The bits for one byte of a name: in both cases, or a separator that stands there, or anything. */
static uint64_t byte_bits(char c, bool any)
{
    uint64_t bits = UINT64_C(1) << ('-' & 63) | UINT64_C(1) << ('_' & 63) | UINT64_C(1) << (' ' & 63);

    if (any) return UINT64_MAX;
    bits |= UINT64_C(1) << (c & 63);
    if (is_letter(c)) bits |= UINT64_C(1) << ((c ^ 0x20) & 63);
    return bits;
}

static void note_pair(uint64_t table[64], uint64_t firsts, uint64_t lasts)
{
    for (int i = 0; i < 64; i++) {
        if (firsts >> i & 1) table[i] |= lasts;
    }
}

static void note_ends(redact_keys *keys, sl_span text)
{
    char plain[REDACT_MAX_NAME] = {0};
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_separator(text.ptr[i])) plain[len++] = text.ptr[i];
    }
    char first = plain[0], last = len ? plain[len - 1] : 0, second = len > 1 ? plain[len - 2] : '*';
    bool open = len == 0 || is_wildcard(last);
    uint64_t lasts = byte_bits(last, open);
    note_pair(keys->with_first, byte_bits(first, len == 0 || is_wildcard(first)), lasts);
    note_pair(keys->with_second_last, byte_bits(second, open || is_wildcard(second)), lasts);
    /* A separator at the end of a key pushes the letters away from it. */
    note_pair(keys->with_second_last, UINT64_MAX, byte_bits('-', false));
}

bool redact_keys_may_hold(const redact_keys *keys, sl_span key)
{
    if (key.len < 2) return key.len == 1;
    char last = key.ptr[key.len - 1];
    return keys->with_first[key.ptr[0] & 63] >> (last & 63) &
           keys->with_second_last[key.ptr[key.len - 2] & 63] >> (last & 63) & 1;
}

/* ---- the whole --------------------------------------------------------------------------------- */

redact_keys *redact_keys_new(void)
{
    redact_keys *keys = sl_calloc(1, sizeof *keys);

    grow_slots(keys);
    return keys;
}

void redact_keys_add(redact_keys *keys, sl_span text, int32_t rule)
{
    folded key;

    sl_assert(text.len <= REDACT_MAX_NAME);
    note_ends(keys, text);
    for (size_t i = 0; i < text.len; i++) {
        if (!is_wildcard(text.ptr[i])) continue;
        add_glob(keys, text, rule);
        return;
    }
    fold(text, &key);
    add_name(keys, &key, rule);
}

void redact_keys_free(redact_keys *keys)
{
    if (!keys) return;
    for (uint32_t i = 0; i < keys->slot_count; i++)
        sl_free(keys->slots[i].text);
    for (uint32_t i = 0; i < keys->glob_count; i++)
        sl_free(keys->globs[i].op);
    sl_free(keys->slots);
    sl_free(keys->globs);
    sl_free(keys);
}

int32_t redact_keys_find(const redact_keys *keys, sl_span text)
{
    folded key;

    if (text.len == 0 || text.len > REDACT_MAX_KEY) return REDACT_NO_RULE;
    fold(text, &key);
    const name *slot = find_slot(keys, key.text, key.len);
    int32_t rule = slot->text ? slot->rule : REDACT_NO_RULE;
    if (rule == REDACT_EXCEPTED || keys->glob_count == 0) return rule;
    int32_t by_glob = find_glob(keys, text, &key);
    return rule == REDACT_NO_RULE || by_glob == REDACT_EXCEPTED ? by_glob : rule;
}
