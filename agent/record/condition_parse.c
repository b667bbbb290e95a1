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

typedef struct parser {
    sl_cond_text in;
    sl_condition *cond;
    int depth;
    sl_buf scratch;
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
    sl_span rest = {p->in.text.ptr + p->in.at, p->in.text.len - p->in.at};
    const char *wrong = sl_text__unquote(rest, escapes, &p->scratch, &used);
    if (wrong) return sl_cond__fail(&p->in, p->in.at + used, "%s", wrong);
    p->in.at += used;
    *out =
        (sl_literal){.type = SL_JSON_STRING, .text = sl_arena_dup(&p->cond->arena, sl_buf_span(&p->scratch))};
    return true;
}

/* As far as somebody would mean it to be one number; whether it is one is judged after. */
static bool is_number_byte(char c)
{
    return sl_path__is_name_byte((unsigned char)c) || c == '+' || c == '.';
}

static bool parse_number(parser *p, sl_literal *out)
{
    size_t end = p->in.at;
    while (end < p->in.text.len && is_number_byte(p->in.text.ptr[end]))
        end++;
    sl_span text = {p->in.text.ptr + p->in.at, end - p->in.at};
    sl_tape tape = {0};
    sl_json_result res = sl_json_index(&tape, text);
    sl_tape_release(&tape);
    *out = (sl_literal){.type = SL_JSON_NUMBER, .text = sl_arena_dup(&p->cond->arena, text)};
    if (res.error != SL_JSON_OK || !sl_number_read(out->text, &out->number))
        return sl_cond__fail(&p->in, p->in.at, "`%.*s` is no number; text is written in quotes",
                             (int)(text.len < 40 ? text.len : 40), text.ptr);
    p->in.at = end;
    return true;
}

static bool fail_value(parser *p, const char *after)
{
    sl_span word = sl_cond__word_here(&p->in);
    if (word.len > 0)
        return sl_cond__fail(&p->in, p->in.at,
                             "a value is expected after `%s`; text is written in quotes: \"%.*s\"", after,
                             (int)word.len, word.ptr);
    if (p->in.at == p->in.text.len)
        return sl_cond__fail(&p->in, p->in.at, "a value is missing after `%s`", after);
    if (sl_cond__peek(&p->in) == '[')
        return sl_cond__fail(&p->in, p->in.at, "`%s` takes one value; a list goes with `in`", after);
    const char *hint = sl_cond__hint_here(&p->in);
    if (hint) return sl_cond__fail(&p->in, p->in.at, "a value is expected after `%s`; %s", after, hint);
    return sl_cond__fail(&p->in, p->in.at,
                         "a value is expected after `%s`: a text in quotes, a number, true, false or null",
                         after);
}

static bool parse_literal(parser *p, sl_escapes escapes, const char *after, sl_literal *out)
{
    char c = sl_cond__peek(&p->in);
    bool done = true;
    if (c == '"' || c == '\'')
        done = parse_string(p, escapes, out);
    else if ((c >= '0' && c <= '9') || c == '-')
        done = parse_number(p, out);
    else if (sl_cond__take_word(&p->in, "true"))
        *out = (sl_literal){.type = SL_JSON_TRUE};
    else if (sl_cond__take_word(&p->in, "false"))
        *out = (sl_literal){.type = SL_JSON_FALSE};
    else if (sl_cond__take_word(&p->in, "null"))
        *out = (sl_literal){.type = SL_JSON_NULL};
    else
        return fail_value(p, after);
    sl_cond__skip_space(&p->in);
    return done;
}

typedef struct literal_list {
    sl_literal *items;
    uint32_t count, cap;
} literal_list;

static sl_literal *add_literal(parser *p, literal_list *list)
{
    if (list->count == list->cap) {
        uint32_t cap = list->cap * 2 + 8;
        sl_literal *larger = sl_arena_alloc(&p->cond->arena, cap * sizeof(*larger));
        if (list->count) memcpy(larger, list->items, list->count * sizeof(*larger));
        list->items = larger;
        list->cap = cap;
    }
    return &list->items[list->count++];
}

static bool parse_list(parser *p, sl_cond_node *node)
{
    size_t start = p->in.at;
    literal_list list = {0};
    if (!sl_cond__take_sign(&p->in, "["))
        return sl_cond__fail(&p->in, p->in.at, "`in` is followed by a list: in [\"a\", \"b\"]");
    if (sl_cond__peek(&p->in) == ']') return sl_cond__fail(&p->in, start, "nothing can be in an empty list");
    const char *after = "[";
    do {
        if (!parse_literal(p, SL_ESCAPES_JSON, after, add_literal(p, &list))) return false;
        after = ",";
    } while (sl_cond__take_sign(&p->in, ","));
    node->literals = list.items;
    node->count = list.count;
    return sl_cond__take_sign(&p->in, "]") ||
           sl_cond__fail(&p->in, p->in.at, "`,` or `]` is expected in the list");
}

/* ---- comparisons ---- */

static bool parse_regex(parser *p, sl_cond_node *node, size_t at)
{
    sl_err err = SL_ERR_NONE;
    node->regex = sl_regex_parse(node->literals[0].text, &err);
    return node->regex || sl_cond__fail(&p->in, at, "in the regular expression, %s", err.text);
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
    size_t at = p->in.at;
    if (node->op == SL_COND_IN) return parse_list(p, node);
    sl_literal *value = sl_arena_alloc(&p->cond->arena, sizeof(*value));
    sl_escapes escapes = node->op == SL_COND_MATCH ? SL_ESCAPES_REGEX : SL_ESCAPES_JSON;
    if (!parse_literal(p, escapes, sign, value)) return false;
    node->literals = value;
    node->count = 1;
    if (needs_text(node->op) && value->type != SL_JSON_STRING)
        return sl_cond__fail(&p->in, at, "`%s` needs a text in quotes, this is %s: it could never hold", sign,
                             type_name(value->type));
    if (needs_order(node->op) && value->type != SL_JSON_STRING && value->type != SL_JSON_NUMBER)
        return sl_cond__fail(&p->in, at, "`%s` needs a number or a text, this is %s: it could never hold",
                             sign, type_name(value->type));
    return node->op != SL_COND_MATCH || parse_regex(p, node, at);
}

/* The longest sign first: `<=` before `<`. Signs that go on (`===`, `=~`) are other languages'. */
static bool parse_operator(parser *p, sl_cond_op *op)
{
    static const sl_cond_op order[] = {SL_COND_EQ,       SL_COND_NE,         SL_COND_LE,      SL_COND_GE,
                                       SL_COND_LT,       SL_COND_GT,         SL_COND_MATCH,   SL_COND_IN,
                                       SL_COND_CONTAINS, SL_COND_STARTSWITH, SL_COND_ENDSWITH};
    size_t start = p->in.at;
    for (size_t i = 0; i < SL_LEN(order); i++) {
        const char *sign = operators[order[i]];
        bool word = sign[0] >= 'a' && sign[0] <= 'z';
        if (word ? !sl_cond__take_word(&p->in, sign) : !sl_cond__take_sign(&p->in, sign)) continue;
        *op = order[i];
        size_t behind = start + strlen(sign);
        if (word || behind >= p->in.text.len || !memchr("=~>", p->in.text.ptr[behind], 3)) return true;
        p->in.at = start;
        break;
    }
    const char *hint = sl_cond__hint_here(&p->in);
    if (hint) return sl_cond__fail(&p->in, p->in.at, "%s", hint);
    if (p->in.at == p->in.text.len || sl_cond__peek(&p->in) == ')')
        return sl_cond__fail(
            &p->in, p->in.at,
            "a field alone is no condition; write `exists(field)` or compare it: field == true");
    return sl_cond__fail(&p->in, p->in.at,
                         "an operator is expected: == != < <= > >= in ~ contains startswith endswith");
}

static sl_path *parse_path(parser *p)
{
    size_t used = 0;
    sl_span rest = {p->in.text.ptr + p->in.at, p->in.text.len - p->in.at};
    sl_path *path = sl_path__parse_prefix(rest, p->in.at, &used, p->in.err);
    p->in.at += used;
    sl_cond__skip_space(&p->in);
    return path;
}

static sl_cond_node *parse_comparison(parser *p)
{
    char c = sl_cond__peek(&p->in);
    if (c == '"' || c == '\'' || (c >= '0' && c <= '9') || c == '-') {
        sl_cond__fail(&p->in, p->in.at,
                      "a comparison begins with a field, and a value stands on the right: field == %s",
                      c == '"' || c == '\'' ? "\"text\"" : "5");
        return NULL;
    }
    const char *hint = sl_cond__hint_here(&p->in);
    if (hint) {
        sl_cond__fail(&p->in, p->in.at, "%s", hint);
        return NULL;
    }
    sl_cond_node *node = new_node(p, SL_COND_EQ);
    node->path = parse_path(p);
    if (!node->path || !parse_operator(p, &node->op) || !parse_right_side(p, node)) return NULL;
    return node;
}

static sl_cond_node *parse_exists(parser *p)
{
    if (!sl_cond__take_sign(&p->in, "(")) {
        sl_cond__fail(&p->in, p->in.at, "`exists` is followed by a field in brackets: exists(user.id)");
        return NULL;
    }
    sl_cond_node *node = new_node(p, SL_COND_EXISTS);
    node->path = parse_path(p);
    if (!node->path) return NULL;
    if (sl_cond__take_sign(&p->in, ")")) return node;
    sl_cond__fail(&p->in, p->in.at, "`)` is expected behind the field");
    return NULL;
}

/* ---- and, or, not, brackets ---- */

static sl_cond_node *parse_any(parser *p);

static sl_cond_node *parse_brackets(parser *p)
{
    size_t open = p->in.at;
    sl_cond__take_sign(&p->in, "(");
    sl_cond_node *node = parse_any(p);
    if (!node || sl_cond__take_sign(&p->in, ")")) return node;
    if (p->in.at == p->in.text.len)
        sl_cond__fail(&p->in, open, "this `(` has no `)`");
    else
        sl_cond__fail(&p->in, p->in.at, "`and`, `or` or `)` is expected here");
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
        sl_cond__fail(&p->in, p->in.at, "brackets and `not` are nested more than %d deep",
                      SL_CONDITION_MAX_DEPTH);
        return NULL;
    }
    p->depth++;
    if (p->in.at == p->in.text.len)
        node = (sl_cond__fail(&p->in, p->in.at, "a condition is missing at the end"), NULL);
    else if (sl_cond__peek(&p->in) == '(')
        node = parse_brackets(p);
    else if (sl_cond__take_word(&p->in, "not"))
        node = parse_not(p);
    else if (sl_cond__take_word(&p->in, "true"))
        node = new_node(p, SL_COND_TRUE);
    else if (sl_cond__take_word(&p->in, "false"))
        node = new_node(p, SL_COND_FALSE);
    else if (sl_cond__take_word(&p->in, "exists"))
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
    if (!first || !sl_cond__take_word(&p->in, word)) return first;
    sl_cond_node *chain = new_node(p, op), *last = first;
    chain->kids = first;
    do {
        last->sibling = parse(p);
        if (!last->sibling) return NULL;
        last = last->sibling;
    } while (sl_cond__take_word(&p->in, word));
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
    sl_cond__skip_space(&p->in);
    if (p->in.at == p->in.text.len) return sl_cond__fail(&p->in, p->in.at, "the condition is empty");
    p->cond->root = parse_any(p);
    if (!p->cond->root) return false;
    if (p->in.at == p->in.text.len) return true;
    if (sl_cond__peek(&p->in) == ')') return sl_cond__fail(&p->in, p->in.at, "this `)` has no `(`");
    const char *hint = sl_cond__hint_here(&p->in);
    return hint ? sl_cond__fail(&p->in, p->in.at, "%s", hint)
                : sl_cond__fail(&p->in, p->in.at, "`and` or `or` is expected between conditions");
}

sl_condition *sl_condition_parse(sl_span text, sl_err *err)
{
    if (text.len > SL_CONDITION_MAX_TEXT) {
        sl_err_set(err, SL_E_LIMIT, "column %u: the condition is longer than %u bytes",
                   SL_CONDITION_MAX_TEXT + 1, SL_CONDITION_MAX_TEXT);
        return NULL;
    }
    parser p = {.in = {.text = text, .err = err}, .cond = sl_calloc(1, sizeof(sl_condition))};
    bool done = parse_whole(&p);
    sl_buf_release(&p.scratch);
    if (done) return p.cond;
    sl_condition_free(p.cond);
    return NULL;
}
