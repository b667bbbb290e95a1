/* Bulk bodies line by line: an action, and, but for `delete`, a document. */
#include "bulk_body.h"

#include "filter_path.h"
#include "member_find.h"

#include <string.h>

typedef struct bulk_line {
    const char *at;
    size_t len; /* without the newline */
} bulk_line;

typedef struct bulk_action {
    const char *name; /* "create", "index", "update" or "delete" */
    size_t name_len;
    bool has_document;
} bulk_action;

static bool parse_action(bulk_line line, bulk_action *action)
{
    static const char *const names[] = {"create", "index", "update", "delete"};
    const char *at = line.at, *end = line.at + line.len;
    if (at == end || *at++ != '{') return false;
    while (at < end && *at == ' ')
        at++;
    if (at == end || *at++ != '"') return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if ((size_t)(end - at) <= len || memcmp(at, names[i], len) != 0 || at[len] != '"') continue;
        *action = (bulk_action){names[i], len, i != 3};
        return end[-1] == '}';
    }
    return false;
}

static void count_document(const bulk_rules *rules, bulk_line line, int64_t now_ns)
{
    tally *counts = rules->counts;
    uint64_t value;
    counts->records++;
    if (line.len < 2 || line.at[0] != '{' || line.at[line.len - 1] != '}') counts->malformed++;
    bool found = rules->as_query ? member_find_query(line.at, line.len, 'n', &value)
                                 : member_find(line.at, line.len, 'n', &value);
    if (found)
        tally_number(counts, value);
    else
        counts->unnumbered++;
    if (rules->latency && member_find(line.at, line.len, 't', &value))
        tally_latency(counts, now_ns - (int64_t)value);
}

/* Appends ,"name":"value" with the string member `name` of the action line, or with `fallback` where it has
 * none. */
static void put_echo(byte_pile *answer, bulk_line line, const char *name, const char *fallback)
{
    char opening[16];
    size_t opening_len = (size_t)snprintf(opening, sizeof(opening), "\"%s\":", name);
    const char *end = line.at + line.len;
    const char *at = memmem(line.at, line.len, opening, opening_len);
    bulk_line value = {fallback, strlen(fallback)};
    if (at) {
        at += opening_len;
        at += at < end && *at == ' ';
        at += at < end && *at == '"';
        const char *quote = memchr(at, '"', (size_t)(end - at));
        value = (bulk_line){at, quote ? (size_t)(quote - at) : 0};
    }
    PILE_LIT(answer, ",");
    pile_put(answer, opening, opening_len);
    PILE_LIT(answer, "\"");
    pile_put(answer, value.at, value.len);
    PILE_LIT(answer, "\"");
}

static void put_item(byte_pile *answer, bulk_line line, const bulk_action *action, unsigned parts)
{
    PILE_LIT(answer, ",{\"");
    pile_put(answer, action->name, action->name_len);
    PILE_LIT(answer, "\":{");
    size_t opened = answer->len;
    if (parts & ANSWER_ITEM_INDEX) put_echo(answer, line, "_index", "bench");
    if (parts & ANSWER_ITEM_ID) put_echo(answer, line, "_id", "generated");
    if (parts & ANSWER_ITEM_VERSION) PILE_LIT(answer, ",\"_version\":1");
    if (parts & ANSWER_ITEM_RESULT) PILE_LIT(answer, ",\"result\":\"created\"");
    if (parts & ANSWER_ITEM_STATUS) PILE_LIT(answer, ",\"status\":201");
    if (answer->len > opened) { /* the first member needs no comma */
        memmove(answer->data + opened, answer->data + opened + 1, answer->len - opened - 1);
        answer->len--;
    }
    PILE_LIT(answer, "}}");
}

static bool next_line(const char **at, const char *end, bulk_line *line)
{
    if (*at == end) return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = (bulk_line){*at, (size_t)(newline - *at)};
    *at = newline + 1;
    return true;
}

/* Goes through the lines; appends ,{item} for each when asked. Returns 200, or 400 at an action that is none.
 */
static int walk(const bulk_rules *rules, const char *body, size_t len, unsigned parts, int64_t now_ns,
                byte_pile *answer)
{
    const char *at = body, *end = body + len;
    bulk_line line, document;
    bulk_action action;
    while (next_line(&at, end, &line)) {
        if (!parse_action(line, &action)) return 400;
        if (action.has_document) {
            if (!next_line(&at, end, &document)) return 400;
            if (!rules->only_bytes) count_document(rules, document, now_ns);
        }
        if (parts & ANSWER_ITEMS) put_item(answer, line, &action, parts);
    }
    return 200;
}

int bulk_body_receive(const bulk_rules *rules, const char *body, size_t len, unsigned parts, int64_t now_ns,
                      byte_pile *answer)
{
    if (len == 0 || body[len - 1] != '\n') return 400;
    rules->counts->bytes += len;
    if (rules->canaries) rules->counts->canaries += needles_count(rules->canaries, body, len);
    size_t start = answer->len;
    PILE_LIT(answer, "{");
    if (parts & ANSWER_TOOK) PILE_LIT(answer, "\"took\":1,");
    if (parts & ANSWER_ERRORS) PILE_LIT(answer, "\"errors\":false,");
    if (parts & ANSWER_ITEMS) PILE_LIT(answer, "\"items\":[");
    size_t items = answer->len;
    bool looks = !rules->only_bytes || (parts & ANSWER_ITEMS);
    int status = looks ? walk(rules, body, len, parts, now_ns, answer) : 200;
    if (answer->len > items) answer->data[items] = ' '; /* in place of the first item's comma */
    if (parts & ANSWER_ITEMS) PILE_LIT(answer, "],");
    if (answer->data[answer->len - 1] == ',') answer->len--;
    PILE_LIT(answer, "}");
    if (status != 200) answer->len = start;
    return status;
}
