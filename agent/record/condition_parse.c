/* condition_parse.c: from text to tree.
 *
 *   any     := all { "or" all }            all := one { "and" one }
 *   one     := "not" one | "(" any ")" | "true" | "false" | "exists" "(" path ")" | path operator value
 *   value   := string | number | true | false | null        (for `in`: a list of values in brackets)
 *
 * The right side is always a value: so a word without quotes is an error and not a field that is never there.
 * What could never hold is refused here, so that evaluation needs no types but those of the record.
 */
#include "condition_int.h"

#include <stdio.h>

typedef struct parser {
    sl_condition *cond;
    sl_span text;
    size_t at;
    int depth;
    sl_buf scratch;
    sl_err *err;
} parser;

static const char *const operators[] = {
    [SL_COND_EQ] = "==",
    [SL_COND_NE] = "!=",
    [SL_COND_LT] = "<",
    [SL_COND_LE] = "<=",
    [SL_COND_GT] = ">",
    [SL_COND_GE] = ">=",
    [SL_COND_IN] = "in",
    [SL_COND_MATCH] = "~",
    [SL_COND_CONTAINS] = "contains",
    [SL_COND_STARTSWITH] = "startswith",
    [SL_COND_ENDSWITH] = "endswith",
};

static bool fail(parser *p, size_t at, const char *fmt, ...) SL_PRINTF(3, 4);
static bool fail(parser *p, size_t at, const char *fmt, ...)
{
    char what[SL_ERR_TEXT_MAX - 32];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    sl_err_set(p->err, SL_E_SYNTAX, "column %zu: %s", at + 1, what);
    return false;
}

/* ---- the text ---- */

static void skip_space(parser *p)
{
    while (p->at < p->text.len && memchr(" \t\r\n", p->text.ptr[p->at], 4))
        p->at++;
}

static char peek(const parser *p)
{
    return p->at < p->text.len ? p->text.ptr[p->at] : '\0';
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@' || c == '$' || c == '/' || (unsigned char)c >= 0x80;
}

/* The run of word bytes here, as far as a plain name reaches. */
static sl_span word_here(const parser *p)
{
    size_t end = p->at;
    while (end < p->text.len && is_word_byte(p->text.ptr[end]))
        end++;
    return (sl_span){p->text.ptr + p->at, end - p->at};
}

/* Takes the word if it stands here by itself: `in` of `in [`, not of `in.x` or `index`. */
static bool take_word(parser *p, const char *word)
{
    sl_span here = word_here(p);
    if (!sl_span_is_cstr(here, word)) return false;
    size_t end = p->at + here.len;
    if (end < p->text.len && p->text.ptr[end] == '.') return false;
    p->at = end;
    skip_space(p);
    return true;
}

static bool take_sign(parser *p, const char *sign)
{
    size_t len = strlen(sign);
    if (p->text.len - p->at < len || memcmp(p->text.ptr + p->at, sign, len) != 0) return false;
    p->at += len;
    skip_space(p);
    return true;
}

/* Words and signs of other languages, and what they are here. */
static const char *hint_here(const parser *p)
{
    static const struct {
        const char *other, *here;
    } signs[] =
        {
            {"&&", "write `and`"},
            {"||", "write `or`"},
            {"&", "write `and`"},
            {"|", "write `or`"},
            {"~=", "a regular expression is tested with `~`"},
            {"=~", "a regular expression is tested with `~`"},
            {"!~", "write `not (field ~ \"regex\")`"},
            {"=", "values are compared with `==`"},
            {"<>", "write `!=`"},
            {"!", "write `not`"},
        },
      words[] = {
          {"AND", "write `and`, in small letters"},
          {"OR", "write `or`, in small letters"},
          {"NOT", "write `not`, in small letters"},
          {"IN", "write `in`, in small letters"},
          {"like", "use `contains` or `~ \"regex\"`"},
          {"matches", "a regular expression is tested with `~`"},
          {"is", "values are compared with `==`"},
          {"eq", "values are compared with `==`"},
          {"ne", "write `!=`"},
          {"starts_with", "write `startswith`"},
          {"ends_with", "write `endswith`"},
          {"startsWith", "write `startswith`"},
          {"endsWith", "write `endswith`"},
          {"includes", "write `contains`"},
      };
    sl_span rest = {p->text.ptr + p->at, p->text.len - p->at}, word = word_here(p);
    for (size_t i = 0; i < SL_LEN(signs); i++)
        if (sl_span_starts_with(rest, sl_span_of(signs[i].other))) return signs[i].here;
    for (size_t i = 0; i < SL_LEN(words); i++)
        if (sl_span_is_cstr(word, words[i].other)) return words[i].here;
    return NULL;
}

/* ---- nodes ---- */

static sl_cond_node *new_node(parser *p, sl_cond_op op)
{
    sl_cond_node *node = sl_arena_zalloc(&p->cond->arena, sizeof(*node));
    node->op = op;
    node->made = p->cond->made;
    p->cond->made = node;
    return node;
}

/* ---- values ---- */

static const char *type_name(sl_json_type type)
{
    switch (type) {
    case SL_JSON_STRING: return "a text";
    case SL_JSON_NUMBER: return "a number";
    case SL_JSON_NULL: return "null";
    default: return "true or false";
    }
}

static bool parse_string(parser *p, sl_escapes escapes, sl_literal *out)
{
    size_t used;
    sl_buf_clear(&p->scratch);
    sl_span rest = {p->text.ptr + p->at, p->text.len - p->at};
    const char *wrong = sl_text__unquote(rest, escapes, &p->scratch, &used);
    if (wrong) return fail(p, p->at + used, "%s", wrong);
    p->at += used;
    *out =
        (sl_literal){.type = SL_JSON_STRING, .text = sl_arena_dup(&p->cond->arena, sl_buf_span(&p->scratch))};
    return true;
}

static bool parse_number(parser *p, sl_literal *out)
{
    size_t end = p->at;
    while (end < p->text.len && (is_word_byte(p->text.ptr[end]) || strchr("+.", p->text.ptr[end])))
        end++;
    sl_span text = {p->text.ptr + p->at, end - p->at};
    sl_tape tape = {0};
    sl_json_result res = sl_json_index(&tape, text);
    sl_tape_release(&tape);
    *out = (sl_literal){.type = SL_JSON_NUMBER};
    if (res.error != SL_JSON_OK || !sl_number_read(text, &out->number))
        return fail(p, p->at, "`%.*s` is no number; text is written in quotes",
                    (int)(text.len < 40 ? text.len : 40), text.ptr);
    p->at = end;
    return true;
}

static bool fail_value(parser *p, const char *after)
{
    sl_span word = word_here(p);
    if (word.len > 0)
        return fail(p, p->at, "a value is expected after `%s`; text is written in quotes: \"%.*s\"", after,
                    (int)word.len, word.ptr);
    if (p->at == p->text.len) return fail(p, p->at, "a value is missing after `%s`", after);
    if (peek(p) == '[') return fail(p, p->at, "`%s` takes one value; a list goes with `in`", after);
    const char *hint = hint_here(p);
    if (hint) return fail(p, p->at, "a value is expected after `%s`; %s", after, hint);
    return fail(p, p->at, "a value is expected after `%s`: a text in quotes, a number, true, false or null",
                after);
}

static bool parse_literal(parser *p, sl_escapes escapes, const char *after, sl_literal *out)
{
    char c = peek(p);
    bool done = true;
    if (c == '"' || c == '\'')
        done = parse_string(p, escapes, out);
    else if ((c >= '0' && c <= '9') || c == '-')
        done = parse_number(p, out);
    else if (take_word(p, "true"))
        *out = (sl_literal){.type = SL_JSON_TRUE};
    else if (take_word(p, "false"))
        *out = (sl_literal){.type = SL_JSON_FALSE};
    else if (take_word(p, "null"))
        *out = (sl_literal){.type = SL_JSON_NULL};
    else
        return fail_value(p, after);
    skip_space(p);
    return done;
}

static bool parse_list(parser *p, sl_cond_node *node)
{
    size_t start = p->at;
    if (!take_sign(p, "[")) return fail(p, p->at, "`in` is followed by a list: in [\"a\", \"b\"]");
    if (peek(p) == ']') return fail(p, start, "nothing can be in an empty list");
    sl_literal *list = NULL;
    uint32_t cap = 0;
    do {
        if (node->count == cap) {
            uint32_t more = cap ? cap * 2 : 8;
            sl_literal *larger = sl_arena_alloc(&p->cond->arena, more * sizeof(*larger));
            if (cap) memcpy(larger, list, cap * sizeof(*list));
            list = larger;
            cap = more;
        }
        if (!parse_literal(p, SL_ESCAPES_JSON, node->count ? "," : "[", &list[node->count])) return false;
        node->count++;
    } while (take_sign(p, ","));
    node->literals = list;
    return take_sign(p, "]") || fail(p, p->at, "`,` or `]` is expected in the list");
}

/* ---- comparisons ---- */

static bool parse_regex(parser *p, sl_cond_node *node, size_t at)
{
    sl_err err = SL_ERR_NONE;
    node->regex = sl_regex_parse(node->literals[0].text, &err);
    return node->regex || fail(p, at, "in the regular expression, %s", err.text);
}

static bool needs_text(sl_cond_op op)
{
    return op == SL_COND_MATCH || op == SL_COND_CONTAINS || op == SL_COND_STARTSWITH ||
           op == SL_COND_ENDSWITH;
}

static bool needs_order(sl_cond_op op)
{
    return op == SL_COND_LT || op == SL_COND_LE || op == SL_COND_GT || op == SL_COND_GE;
}

static bool parse_right_side(parser *p, sl_cond_node *node)
{
    const char *sign = operators[node->op];
    size_t at = p->at;
    if (node->op == SL_COND_IN) return parse_list(p, node);
    sl_literal *value = sl_arena_alloc(&p->cond->arena, sizeof(*value));
    sl_escapes escapes = node->op == SL_COND_MATCH ? SL_ESCAPES_REGEX : SL_ESCAPES_JSON;
    if (!parse_literal(p, escapes, sign, value)) return false;
    node->literals = value;
    node->count = 1;
    if (needs_text(node->op) && value->type != SL_JSON_STRING)
        return fail(p, at, "`%s` needs a text in quotes, this is %s: it could never hold", sign,
                    type_name(value->type));
    if (needs_order(node->op) && value->type != SL_JSON_STRING && value->type != SL_JSON_NUMBER)
        return fail(p, at, "`%s` needs a number or a text, this is %s: it could never hold", sign,
                    type_name(value->type));
    return node->op != SL_COND_MATCH || parse_regex(p, node, at);
}

/* The longest sign first: `<=` before `<`. Signs that go on (`===`, `=~`) are other languages'. */
static bool parse_operator(parser *p, sl_cond_op *op)
{
    static const sl_cond_op order[] = {SL_COND_EQ,       SL_COND_NE,         SL_COND_LE,      SL_COND_GE,
                                       SL_COND_LT,       SL_COND_GT,         SL_COND_MATCH,   SL_COND_IN,
                                       SL_COND_CONTAINS, SL_COND_STARTSWITH, SL_COND_ENDSWITH};
    size_t start = p->at;
    for (size_t i = 0; i < SL_LEN(order); i++) {
        const char *sign = operators[order[i]];
        bool word = sign[0] >= 'a' && sign[0] <= 'z';
        if (word ? !take_word(p, sign) : !take_sign(p, sign)) continue;
        *op = order[i];
        size_t behind = start + strlen(sign);
        if (word || behind >= p->text.len || !memchr("=~>", p->text.ptr[behind], 3)) return true;
        p->at = start;
        break;
    }
    const char *hint = hint_here(p);
    if (hint) return fail(p, p->at, "%s", hint);
    if (p->at == p->text.len || peek(p) == ')')
        return fail(p, p->at,
                    "a field alone is no condition; write `exists(field)` or compare it: field == true");
    return fail(p, p->at, "an operator is expected: == != < <= > >= in ~ contains startswith endswith");
}

static sl_path *parse_path(parser *p)
{
    size_t used = 0;
    sl_span rest = {p->text.ptr + p->at, p->text.len - p->at};
    sl_path *path = sl_path__parse_prefix(rest, p->at, &used, p->err);
    p->at += used;
    skip_space(p);
    return path;
}

static sl_cond_node *parse_comparison(parser *p)
{
    char c = peek(p);
    if (c == '"' || c == '\'' || (c >= '0' && c <= '9') || c == '-') {
        fail(p, p->at, "a comparison begins with a field, and a value stands on the right: field == %s",
             c == '"' || c == '\'' ? "\"text\"" : "5");
        return NULL;
    }
    const char *hint = hint_here(p);
    if (hint) {
        fail(p, p->at, "%s", hint);
        return NULL;
    }
    sl_cond_node *node = new_node(p, SL_COND_EQ);
    node->path = parse_path(p);
    if (!node->path || !parse_operator(p, &node->op) || !parse_right_side(p, node)) return NULL;
    return node;
}

static sl_cond_node *parse_exists(parser *p)
{
    if (!take_sign(p, "(")) {
        fail(p, p->at, "`exists` is followed by a field in brackets: exists(user.id)");
        return NULL;
    }
    sl_cond_node *node = new_node(p, SL_COND_EXISTS);
    node->path = parse_path(p);
    if (!node->path) return NULL;
    if (take_sign(p, ")")) return node;
    fail(p, p->at, "`)` is expected behind the field");
    return NULL;
}

/* ---- and, or, not, brackets ---- */

static sl_cond_node *parse_any(parser *p);

static sl_cond_node *parse_brackets(parser *p)
{
    size_t open = p->at;
    take_sign(p, "(");
    sl_cond_node *node = parse_any(p);
    if (!node || take_sign(p, ")")) return node;
    if (p->at == p->text.len)
        fail(p, open, "this `(` has no `)`");
    else
        fail(p, p->at, "`and`, `or` or `)` is expected here");
    return NULL;
}

static sl_cond_node *parse_one(parser *p);

static sl_cond_node *parse_not(parser *p)
{
    sl_cond_node *node = new_node(p, SL_COND_NOT);
    node->kids = parse_one(p);
    return node->kids ? node : NULL;
}

static sl_cond_node *parse_one(parser *p)
{
    sl_cond_node *node;
    if (p->depth == SL_CONDITION_MAX_DEPTH) {
        fail(p, p->at, "brackets and `not` are nested more than %d deep", SL_CONDITION_MAX_DEPTH);
        return NULL;
    }
    p->depth++;
    if (p->at == p->text.len)
        node = (fail(p, p->at, "a condition is missing at the end"), NULL);
    else if (peek(p) == '(')
        node = parse_brackets(p);
    else if (take_word(p, "not"))
        node = parse_not(p);
    else if (take_word(p, "true"))
        node = new_node(p, SL_COND_TRUE);
    else if (take_word(p, "false"))
        node = new_node(p, SL_COND_FALSE);
    else if (take_word(p, "exists"))
        node = parse_exists(p);
    else
        node = parse_comparison(p);
    p->depth--;
    return node;
}

/* One or more of what `parse` reads, with `word` between; a node of its own only when there is more than one.
 */
static sl_cond_node *parse_chain(parser *p, sl_cond_op op, const char *word, sl_cond_node *(*parse)(parser *))
{
    sl_cond_node *first = parse(p);
    if (!first || !take_word(p, word)) return first;
    sl_cond_node *chain = new_node(p, op), *last = first;
    chain->kids = first;
    do {
        last->sibling = parse(p);
        if (!last->sibling) return NULL;
        last = last->sibling;
    } while (take_word(p, word));
    return chain;
}

static sl_cond_node *parse_all(parser *p)
{
    return parse_chain(p, SL_COND_AND, "and", parse_one);
}

static sl_cond_node *parse_any(parser *p)
{
    return parse_chain(p, SL_COND_OR, "or", parse_all);
}

static bool parse_whole(parser *p)
{
    skip_space(p);
    if (p->at == p->text.len) return fail(p, p->at, "the condition is empty");
    p->cond->root = parse_any(p);
    if (!p->cond->root) return false;
    if (p->at == p->text.len) return true;
    if (peek(p) == ')') return fail(p, p->at, "this `)` has no `(`");
    const char *hint = hint_here(p);
    return hint ? fail(p, p->at, "%s", hint) : fail(p, p->at, "`and` or `or` is expected between conditions");
}

sl_condition *sl_condition_parse(sl_span text, sl_err *err)
{
    if (text.len > SL_CONDITION_MAX_TEXT) {
        sl_err_set(err, SL_E_LIMIT, "column %u: the condition is longer than %u bytes",
                   SL_CONDITION_MAX_TEXT + 1, SL_CONDITION_MAX_TEXT);
        return NULL;
    }
    parser p = {.cond = sl_calloc(1, sizeof(sl_condition)), .text = text, .err = err};
    bool done = parse_whole(&p);
    sl_buf_release(&p.scratch);
    if (done) return p.cond;
    sl_condition_free(p.cond);
    return NULL;
}
