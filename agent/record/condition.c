/* condition.c: evaluates conditions. Walks the tree; allocates nothing but for strings with escapes, in the
 * reader's scratch. Types were settled by the parser: here a value of another type only makes the comparison
 * false. */
#include "condition_int.h"

void sl_condition_free(sl_condition *cond)
{
    if (!cond) return;
    for (sl_cond_node *node = cond->made; node; node = node->made) {
        sl_path_free(node->path);
        sl_regex_free(node->regex);
    }
    sl_arena_release(&cond->arena);
    sl_free(cond);
}

/* ---- one comparison ---- */

static int compare_text(sl_span a, sl_span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* False when the two can't be compared. */
static bool compare(const sl_value *value, const sl_literal *literal, int *order)
{
    if (value->type != literal->type) return false;
    if (value->type == SL_JSON_NUMBER) {
        sl_number number;
        if (!sl_number_read(value->text, &number)) return false;
        *order = sl_number_compare(&number, &literal->number);
        return true;
    }
    *order = value->type == SL_JSON_STRING ? compare_text(value->text, literal->text) : 0;
    return true;
}

static bool is_bool(sl_json_type type)
{
    return type == SL_JSON_TRUE || type == SL_JSON_FALSE;
}

static bool equals(const sl_value *value, const sl_literal *literal)
{
    if (value->type != literal->type) return false;
    if (value->type == SL_JSON_STRING) return sl_span_is(value->text, literal->text);
    int order;
    return compare(value, literal, &order) && order == 0;
}

/* True for a value of the literal's type that is not equal; against null, for every value but null. */
static bool differs(const sl_value *value, const sl_literal *literal)
{
    if (literal->type == SL_JSON_NULL) return value->type != SL_JSON_NULL;
    if (is_bool(literal->type)) return is_bool(value->type) && value->type != literal->type;
    int order;
    return compare(value, literal, &order) && order != 0;
}

static bool in_list(const sl_cond_node *node, const sl_value *value)
{
    for (uint32_t i = 0; i < node->count; i++)
        if (equals(value, &node->literals[i])) return true;
    return false;
}

static bool orders(sl_cond_op op, const sl_value *value, const sl_literal *literal)
{
    int order;
    if (!compare(value, literal, &order)) return false;
    switch (op) {
    case SL_COND_LT: return order < 0;
    case SL_COND_LE: return order <= 0;
    case SL_COND_GT: return order > 0;
    default: return order >= 0;
    }
}

static bool text_test(const sl_cond_node *node, sl_span text)
{
    sl_span literal = node->literals[0].text;
    size_t start, end;
    bool limited;
    switch (node->op) {
    case SL_COND_MATCH: return sl_regex_find(node->regex, text, 0, &start, &end, &limited);
    case SL_COND_STARTSWITH: return sl_span_starts_with(text, literal);
    case SL_COND_ENDSWITH: return sl_span_ends_with(text, literal);
    default: return literal.len == 0 || sl_span_find(text, literal, 0) < text.len;
    }
}

static bool test(const sl_cond_node *node, sl_reader *reader)
{
    sl_value value;
    if (!sl_reader_get(reader, node->path, &value)) return false;
    switch (node->op) {
    case SL_COND_EXISTS: return true;
    case SL_COND_EQ: return equals(&value, node->literals);
    case SL_COND_NE: return differs(&value, node->literals);
    case SL_COND_IN: return in_list(node, &value);
    case SL_COND_LT:
    case SL_COND_LE:
    case SL_COND_GT:
    case SL_COND_GE: return orders(node->op, &value, node->literals);
    default: return value.type == SL_JSON_STRING && text_test(node, value.text);
    }
}

/* ---- the tree ---- */

/* Recursion is as deep as the parser let brackets and `not` be, twice over. */
static bool eval(const sl_cond_node *node, sl_reader *reader)
{
    switch (node->op) {
    case SL_COND_TRUE: return true;
    case SL_COND_FALSE: return false;
    case SL_COND_NOT: return !eval(node->kids, reader);
    case SL_COND_AND:
        for (const sl_cond_node *kid = node->kids; kid; kid = kid->sibling)
            if (!eval(kid, reader)) return false;
        return true;
    case SL_COND_OR:
        for (const sl_cond_node *kid = node->kids; kid; kid = kid->sibling)
            if (eval(kid, reader)) return true;
        return false;
    default: return test(node, reader);
    }
}

bool sl_condition_eval(const sl_condition *cond, sl_reader *reader)
{
    return eval(cond->root, reader);
}
