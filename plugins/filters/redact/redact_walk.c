/* redact_walk.c: one JSON text: keys are looked up, strings and numbers looked into, and what is to change
 * becomes edits of the text as it is spelled. */
#include "redact_int.h"

#define AWS_SECRET_LENGTH 40

typedef struct walk {
    redact *r;
    redact_level *level;
    unsigned depth;
    sl_span text;
    const sl_token *tok;
    uint32_t count;
    uint32_t next_named; /* in r->named */
    bool marked;         /* some mark in the text */
    uint32_t mark;       /* is_clean_member(): the first mark not before where it looked last */
    bool plain_rules;    /* nothing but names of keys and marks can make a difference here */
} walk;

static sl_span spelling_of(const walk *w, uint32_t i)
{
    return (sl_span){w->text.ptr + w->tok[i].off, w->tok[i].len};
}

static void edit(walk *w, uint32_t off, uint32_t len, sl_span with)
{
    redact__add_edit(w->r, &w->level->edits, (redact_edit){off, len, with, false});
}

static void edit_to_string(walk *w, uint32_t value, sl_span plain)
{
    const sl_token *tok = &w->tok[value];
    sl_span with = redact__escaped(w->r, plain);

    if (tok->type == SL_JSON_STRING) {
        edit(w, tok->off, tok->len, with);
        return;
    }
    char *quoted = sl_arena_try_alloc(&w->r->arena, with.len + 2);
    if (!quoted) {
        w->r->failed = true;
        return;
    }
    quoted[0] = '"';
    if (with.len) memcpy(quoted + 1, with.ptr, with.len);
    quoted[with.len + 1] = '"';
    edit(w, tok->off, tok->len, (sl_span){quoted, with.len + 2});
}

/* ---- taking members out ------------------------------------------------------------------------ */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static uint32_t skip_space(sl_span text, uint32_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

/* Takes a member (its key is `first`) or an element (first is value) out. When one before it stays, the comma
 * before it goes too, else the one behind it: so ranges never overlap, whatever else is taken out. */
static void remove_member(walk *w, uint32_t first, uint32_t value)
{
    const sl_token *tok = &w->tok[value];
    uint32_t start = w->tok[first].off - (w->tok[first].type == SL_JSON_STRING);
    uint32_t end = tok->off + tok->len + (tok->type == SL_JSON_STRING);

    if (w->level->kept[tok->depth]) {
        while (w->text.ptr[--start] != ',')
            ;
    } else {
        uint32_t next = skip_space(w->text, end);
        if (w->text.ptr[next] == ',') end = skip_space(w->text, next + 1);
    }
    redact_edits *edits = &w->level->edits;
    while (edits->count > 0 && edits->items[edits->count - 1].off >= start)
        edits->count--; /* of its own key */
    edit(w, start, end - start, SL_SPAN(""));
}

/* ---- values that a key or a path names ----------------------------------------------------------- */

/* Whether there is nothing in it to hide. */
static bool is_empty(const walk *w, uint32_t value)
{
    const sl_token *tok = &w->tok[value];

    if (tok->type == SL_JSON_STRING) return tok->len == 0;
    if (tok->type == SL_JSON_OBJECT || tok->type == SL_JSON_ARRAY) return tok->next == value + 1;
    return tok->type == SL_JSON_NULL;
}

/* The value as plain text: a string decoded, all else as it is spelled. */
static sl_span plain_of(walk *w, uint32_t value)
{
    sl_span spelling = spelling_of(w, value);

    if (!(w->tok[value].flags & SL_TOKEN_ESCAPED)) return spelling;
    return redact__decode(w->r, spelling, &w->level->plain);
}

/* Deals with a whole value by the action of a rule. Returns false when its member was taken out. */
static bool whole_value(walk *w, uint32_t first, uint32_t value, uint32_t rule)
{
    redact_action action = w->r->rules->rule[rule].action;
    const sl_token *tok = &w->tok[value];
    bool string = tok->type == SL_JSON_STRING, readable = string || tok->type == SL_JSON_NUMBER;

    if (is_empty(w, value)) return true;
    if (action.verb == REDACT_REMOVE) {
        w->r->counts[rule]++;
        remove_member(w, first, value);
        return false;
    }
    if (action.verb == REDACT_MASK && !readable) action.verb = REDACT_REPLACE;
    sl_span plain = plain_of(w, value);
    if (string && redact_own_mark(&action, plain) == plain.len) return true;
    sl_span with = redact__stand_in(w->r, &action, plain);
    if (string && sl_span_is(with, plain)) return true;
    w->r->counts[rule]++;
    edit_to_string(w, value, with);
    return true;
}

/* ---- strings ----------------------------------------------------------------------------------- */

/* Bytes of the spelling at `at`, and how many plain bytes it stands for. */
static uint32_t spelled_length(sl_span spelling, uint32_t at, uint32_t *plain)
{
    char out[12];
    uint32_t len = 1;

    if (spelling.ptr[at] == '\\') {
        len = spelling.ptr[at + 1] == 'u' ? 6 : 2;
        bool high = len == 6 && (spelling.ptr[at + 2] | 0x20) == 'd' && at + 12 <= spelling.len &&
                    strchr("89abAB", spelling.ptr[at + 3]) && spelling.ptr[at + 6] == '\\' &&
                    spelling.ptr[at + 7] == 'u' && (spelling.ptr[at + 8] | 0x20) == 'd' &&
                    strchr("cdefCDEF", spelling.ptr[at + 9]);
        if (high) len = 12;
        *plain = (uint32_t)sl_json_unescape((sl_span){spelling.ptr + at, len}, out);
    } else {
        *plain = 1;
    }
    return len;
}

/* Edits of the plain text become edits of the spelling: both are gone through side by side. */
static void edit_spelling(walk *w, uint32_t string)
{
    sl_span spelling = spelling_of(w, string);
    const redact_edits *changes = &w->level->changes;
    uint32_t off = w->tok[string].off, at = 0, plain_at = 0, plain = 0;

    for (uint32_t i = 0; i < changes->count && !w->r->failed; i++) {
        const redact_edit *change = &changes->items[i];
        for (; plain_at < change->off; plain_at += plain)
            at += spelled_length(spelling, at, &plain);
        uint32_t start = at;
        for (; plain_at < change->off + change->len; plain_at += plain)
            at += spelled_length(spelling, at, &plain);
        edit(w, off + start, at - start, redact__escaped(w->r, change->with));
    }
}

static void edit_string(walk *w, uint32_t string)
{
    const redact_edits *changes = &w->level->changes;

    if (w->tok[string].flags & SL_TOKEN_ESCAPED) {
        edit_spelling(w, string);
        return;
    }
    for (uint32_t i = 0; i < changes->count; i++) {
        const redact_edit *change = &changes->items[i];
        edit(w, w->tok[string].off + change->off, change->len, redact__escaped(w->r, change->with));
    }
}

static inline bool has_mark(const uint64_t *marks, uint32_t at, uint32_t end)
{
    while (at < end) {
        uint64_t bits = marks[at / 64] >> (at % 64);
        if (bits) return at + (uint32_t)__builtin_ctzll(bits) < end;
        at = (at | 63) + 1;
    }
    return false;
}

/* Finds the changes of a string's or number's plain text. Returns whether there are any. */
static bool look_into(walk *w, uint32_t value, bool nested)
{
    const sl_token *tok = &w->tok[value];
    const redact_rules *rules = w->r->rules;

    if (!(tok->flags & SL_TOKEN_ESCAPED)) {
        bool marked = w->marked && has_mark(w->level->marks.words, tok->off, tok->off + tok->len);
        if (SL_LIKELY(!marked && rules->pattern_count == 0)) return false;
        redact__string(w->r, w->depth, spelling_of(w, value), w->level->marks.words, tok->off, false);
    } else {
        sl_span plain = redact__decode(w->r, spelling_of(w, value), &w->level->plain);
        bool marked = redact__mark(w->r, plain, &w->level->in_plain);
        if (w->r->failed || (!marked && !nested && rules->pattern_count == 0)) return false;
        redact__string(w->r, w->depth, plain, w->level->in_plain.words, 0, nested);
    }
    return w->level->changes.count > 0 && !w->r->failed;
}

/* Whether the change takes the whole value away. */
static bool is_removed(const walk *w, uint32_t plain_len)
{
    const redact_edits *changes = &w->level->changes;

    return changes->count == 1 && changes->items[0].removal && changes->items[0].len == plain_len;
}

static uint32_t plain_length(const walk *w, uint32_t value)
{
    return w->tok[value].flags & SL_TOKEN_ESCAPED ? (uint32_t)w->level->plain.len : w->tok[value].len;
}

static void edit_number(walk *w, uint32_t value)
{
    sl_buf_clear(&w->level->plain);
    if (redact_edits_apply(&w->level->changes, spelling_of(w, value), &w->level->plain) != 0)
        w->r->failed = true;
    else
        edit_to_string(w, value, sl_buf_span(&w->level->plain));
}

/* A secret access key is known by its member's name only. */
static bool is_aws_secret(walk *w, uint32_t first, uint32_t value)
{
    if (!(w->r->rules->detect & REDACT_BIT(AWS_KEY)) || first == value || w->tok[value].len < 40)
        return false;
    sl_span plain = plain_of(w, value);
    if (plain.len != 40) return false;
    sl_span key = spelling_of(w, first);
    if (w->tok[first].flags & SL_TOKEN_ESCAPED) key = redact__decode(w->r, key, &w->r->scratch);
    return detect_aws_secret_value(key, plain);
}

#define SHORTEST_DECIMAL 15 /* of a card that has a point or an exponent */

/* A card's number that some program took for a quantity. Apart, for it is seldom asked. */
__attribute__((noinline)) static bool is_card_number(const walk *w, uint32_t value)
{
    return w->r->rules->detect & REDACT_BIT(CARD) && detect_card_number(spelling_of(w, value));
}

/* Looks into a value that no rule names. Returns false when its member was taken out. */
static bool content(walk *w, uint32_t first, uint32_t value)
{
    uint8_t type = w->tok[value].type;

    if (type != SL_JSON_STRING && type != SL_JSON_NUMBER) return true;
    if (type == SL_JSON_STRING && is_aws_secret(w, first, value))
        return whole_value(w, first, value, REDACT_AWS_KEY);
    if (type == SL_JSON_NUMBER && SL_UNLIKELY(w->tok[value].len >= SHORTEST_DECIMAL) &&
        is_card_number(w, value))
        return whole_value(w, first, value, REDACT_CARD);
    if (!look_into(w, value, type == SL_JSON_STRING)) return true;
    if (is_removed(w, plain_length(w, value)) && w->tok[value].depth > 0) {
        remove_member(w, first, value);
        return false;
    }
    if (type == SL_JSON_STRING)
        edit_string(w, value);
    else
        edit_number(w, value);
    return true;
}

/* ---- keys -------------------------------------------------------------------------------------- */

static uint64_t word_at(const char *text, uint32_t len)
{
    uint64_t word = 0;

    memcpy(&word, text, len < 8 ? len : 8);
    return word;
}

static int32_t find_slowly(redact *r, const redact_keys *keys, sl_span spelling, uint8_t flags)
{
    if (flags & SL_TOKEN_ESCAPED) spelling = redact__decode(r, spelling, &r->scratch);
    return redact_keys_find(keys, spelling);
}

int32_t redact__key_rule(redact *r, const redact_keys *keys, sl_span text, const sl_token *tok)
{
    sl_span key = {text.ptr + tok->off, tok->len};

    if (tok->flags & SL_TOKEN_ESCAPED) return find_slowly(r, keys, key, tok->flags);
    if (!redact_keys_may_hold(keys, key)) return REDACT_NO_RULE;
    if (key.len > 32 || keys != r->rules->keys) return find_slowly(r, keys, key, tok->flags);
    uint32_t len = tok->len;
    redact_cached_key want = {.len = len};
    want.word[0] = word_at(key.ptr, len);
    if (len > 8) want.word[1] = word_at(key.ptr + len - 8, 8);
    if (len > 16) {
        want.word[2] = word_at(key.ptr + 8, 8);
        want.word[3] = word_at(key.ptr + len - 16, 8);
    }
    uint64_t hash =
        (want.word[0] ^ want.word[1] * UINT64_C(0x9e3779b97f4a7c15) ^ len) * UINT64_C(0xff51afd7ed558ccd);
    redact_cached_key *cached = &r->cache[hash >> 32 & (REDACT_CACHED_KEYS - 1)];
    if (cached->len == len && memcmp(cached->word, want.word, sizeof want.word) == 0) return cached->rule;
    want.rule = redact_keys_find(keys, key);
    *cached = want;
    return want.rule;
}

/* What the rules say of the key at `key` and of a path that ends at its value. */
static int32_t rule_of_member(walk *w, uint32_t key)
{
    redact *r = w->r;
    int32_t by_path = REDACT_NO_RULE;

    while (w->next_named < r->named.count && r->named.items[w->next_named].start < key + 1)
        w->next_named++;
    if (w->depth == 0 && w->next_named < r->named.count && r->named.items[w->next_named].start == key + 1)
        by_path = (int32_t)r->named.items[w->next_named].rule;
    int32_t rule = redact__key_rule(r, r->rules->keys, w->text, &w->tok[key]);
    if (rule == REDACT_EXCEPTED || by_path == REDACT_NO_RULE)
        by_path = rule; /* an exception by either stays one */
    /* Text inside strings has its own names, however it is written there. */
    if (by_path == REDACT_NO_RULE && w->depth > 0 && r->rules->detect & REDACT_BIT(KEY_VALUE))
        return redact__key_rule(r, r->rules->text, w->text, &w->tok[key]);
    return by_path;
}

/* A key that is itself a secret (an address as a key). Returns what the rules say of the key as it reads
 * then. */
static int32_t content_of_key(walk *w, uint32_t key)
{
    if (!look_into(w, key, false)) return REDACT_NO_RULE;
    sl_span spelling = spelling_of(w, key);
    sl_span plain = w->tok[key].flags & SL_TOKEN_ESCAPED ? sl_buf_span(&w->level->plain) : spelling;
    edit_string(w, key);
    sl_buf_clear(&w->r->scratch);
    if (redact_edits_apply(&w->level->changes, plain, &w->r->scratch) != 0) {
        w->r->failed = true;
        return REDACT_NO_RULE;
    }
    return redact_keys_find(w->r->rules->keys, sl_buf_span(&w->r->scratch));
}

/* ---- the walk ---------------------------------------------------------------------------------- */

static void begin_container(walk *w, uint32_t i)
{
    if (w->tok[i].type == SL_JSON_OBJECT || w->tok[i].type == SL_JSON_ARRAY)
        w->level->kept[w->tok[i].depth + 1] = false;
}

/* A value (its key is `first`, or itself) by its rule, or what is in it. Returns the token to go on with. */
static uint32_t visit(walk *w, uint32_t first, uint32_t value, int32_t rule)
{
    bool stays = true;
    uint32_t next = w->tok[value].next;

    begin_container(w, value);
    if (rule >= 0) {
        stays = whole_value(w, first, value, (uint32_t)rule);
    } else if (rule == REDACT_NO_RULE) {
        stays = content(w, first, value);
        next = value + 1;
    }
    if (stays) w->level->kept[w->tok[value].depth] = true;
    return next;
}

static uint32_t visit_member(walk *w, uint32_t key)
{
    int32_t rule = rule_of_member(w, key);

    if (rule != REDACT_EXCEPTED) {
        int32_t renamed = content_of_key(w, key);
        if (rule == REDACT_NO_RULE) rule = renamed;
    }
    return visit(w, key, key + 1, rule);
}

/* A string behind `--password` in an array: a list of arguments. */
static int32_t rule_of_argument(walk *w, uint32_t value)
{
    const sl_token *tok = &w->tok[value], *option = tok - 1;

    if (value < 2 || tok->type != SL_JSON_STRING || option->type != SL_JSON_STRING) return REDACT_NO_RULE;
    if (tok->depth != option->depth || option->flags & SL_TOKEN_KEY) return REDACT_NO_RULE;
    if (!(w->r->rules->detect & REDACT_BIT(KEY_VALUE))) return REDACT_NO_RULE;
    sl_span name = spelling_of(w, value - 1);
    if (option->flags & SL_TOKEN_ESCAPED) name = redact__decode(w->r, name, &w->r->scratch);
    int32_t rule = redact_option_rule(w->r->rules, name);
    return rule >= 0 && char_at(plain_of(w, value), 0) != '-' ? rule : REDACT_NO_RULE;
}

/* An element that a path names: tags[0]; or else an argument. */
static int32_t rule_of_element(walk *w, uint32_t value)
{
    redact *r = w->r;

    while (w->next_named < r->named.count && r->named.items[w->next_named].start < value)
        w->next_named++;
    if (w->depth > 0 || w->next_named == r->named.count || r->named.items[w->next_named].start != value)
        return rule_of_argument(w, value);
    return (int32_t)r->named.items[w->next_named].rule;
}

/* The first mark at or behind `at`, which never goes back; UINT32_MAX: none. */
static inline uint32_t next_mark(walk *w, uint32_t at)
{
    if (SL_LIKELY(w->mark >= at)) return w->mark;
    const uint64_t *words = w->level->marks.words;
    uint32_t word = at / 64, count = (uint32_t)redact_marks_size(w->text.len);
    uint64_t bits = words[word] & UINT64_MAX << (at % 64);
    while (!bits && ++word < count)
        bits = words[word];
    w->mark = bits ? word * 64 + (uint32_t)__builtin_ctzll(bits) : UINT32_MAX;
    return w->mark;
}

/* Most members are clean, and this is all they cost: the name is none of the rules', and there is no mark in
 * name or value. What is not certain here is looked at closely. */
static inline bool is_clean_member(walk *w, uint32_t key)
{
    const sl_token *name = &w->tok[key], *value = &w->tok[key + 1];

    if (!w->plain_rules || (name->flags | value->flags) & SL_TOKEN_ESCAPED) return false;
    if (redact_keys_may_hold(w->r->rules->keys, spelling_of(w, key))) return false;
    if (value->len == AWS_SECRET_LENGTH && w->r->rules->detect & REDACT_BIT(AWS_KEY)) return false;
    if (next_mark(w, name->off) < name->off + name->len) return false;
    return value->type <= SL_JSON_ARRAY || next_mark(w, value->off) >= value->off + value->len;
}

static uint32_t pass_member(walk *w, uint32_t key)
{
    begin_container(w, key + 1);
    w->level->kept[w->tok[key].depth] = true;
    return key + 2;
}

void redact__walk(redact *r, unsigned depth, sl_span text, const sl_token *tok, uint32_t count)
{
    redact_level *level = redact__level(r, depth);
    const redact_rules *rules = r->rules;
    walk w = {.r = r, .level = level, .depth = depth, .text = text, .tok = tok, .count = count};
    bool by_text = depth > 0 && rules->detect & REDACT_BIT(KEY_VALUE);

    level->edits.count = 0;
    w.marked = redact__mark(r, text, &level->marks);
    w.mark = w.marked ? 0 : UINT32_MAX; /* no name begins at 0 */
    w.plain_rules = rules->pattern_count == 0 && r->named.count == 0 && !by_text;
    for (uint32_t i = 0; i < count && !r->failed;) {
        if (!(tok[i].flags & SL_TOKEN_KEY))
            i = visit(&w, i, i, rule_of_element(&w, i));
        else if (is_clean_member(&w, i))
            i = pass_member(&w, i);
        else
            i = visit_member(&w, i);
    }
}
