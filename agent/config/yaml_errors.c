/* yaml_errors.c: what libyaml says about a file that it can't parse, in words that tell what to do.
 *
 * Its texts are few and fixed; each is known by its start. One that is not listed is passed on as it is.
 */
#include "config_int.h"
#include "yaml_int.h"
#include <stdio.h>

typedef struct advice {
    const char *yaml; /* start of libyaml's text */
    const char *text, *hint;
    bool at_context; /* shown where the construct begins, not where it went wrong */
} advice;

static const advice quote_advice[] = {
    {"found unexpected end of stream", "the quote that opens here is never closed",
     "close it with the same quote", true},
    {"found unexpected document indicator", "the quote that opens here is never closed",
     "close it with the same quote", true},
    {"found unknown escape character", "unknown escape in a text in double quotes",
     "write `\\\\` for one backslash, or use single quotes, in which a backslash is just that", false},
    {"did not find expected hexdecimal number", "`\\x`, `\\u` and `\\U` need 2, 4 and 8 hexadecimal digits",
     "write `\\\\` for one backslash, or use single quotes", false},
    {"found invalid Unicode character escape code", "the escape names no Unicode character",
     "surrogates (D800 to DFFF) are no characters", false},
};

static const advice general_advice[] = {
    {"mapping values are not allowed", "`: ` is not allowed here: this line already is a value",
     "put the value into quotes if it holds `: `, or indent the line like its neighbours", false},
    {"did not find expected key", "this line does not fit the map it stands in",
     "start all keys of one map in the same column; put text that holds quotes or brackets into quotes as a "
     "whole",
     false},
    {"did not find expected '-' indicator", "this line does not fit the list it stands in",
     "start all `- ` of one list in the same column", false},
    {"did not find expected ',' or '}'", "the `{` is not closed, or a `,` is missing behind it",
     "write `{key: value, key: value}`", true},
    {"did not find expected ',' or ']'", "the `[` is not closed, or a `,` is missing behind it",
     "write `[one, two]`; put text that holds a bracket or comma into quotes", true},
    {"could not find expected ':'", "this key has no `:` behind it",
     "write `key: value`, with a space behind the colon", true},
    {"found character that cannot start any token", "a value can't start with this character",
     "put the value into quotes", false},
    {"found a tab character", "a tab in the indentation", "indent with spaces", false},
    {"block sequence entries are not allowed", "`- ` is not allowed here",
     "start the list on a line of its own, or write `[one, two]`", false},
    {"mapping keys are not allowed", "`? ` is not allowed here", "put the value into quotes", false},
    {"found unexpected ':'", "`:` in the middle of a value inside brackets", "put the value into quotes",
     false},
    {"did not find expected node content", "a value is missing here",
     "remove the extra `,` or write the value", false},
    {"did not find expected alphabetic or numeric character", "`&` and `*` start an anchor and an alias",
     "put the value into quotes if it is text", false},
    {"did not find expected comment or line break", "only a comment may follow here",
     "put the text on a line of its own", false},
    {"found undefined tag handle", "`!` starts a tag", "put the value into quotes if it is text", false},
    {"did not find expected <document start>", "this line does not fit what stands before it",
     "check the indentation; a list and a map can't stand side by side", false},
    {"control characters are not allowed", "a control character",
     "remove it; in double quotes write it as an escape", false},
    {"invalid leading UTF-8", "the file is not UTF-8 here", "save the file as UTF-8", false},
    {"invalid trailing UTF-8", "the file is not UTF-8 here", "save the file as UTF-8", false},
    {"incomplete UTF-8", "the file is not UTF-8 here", "save the file as UTF-8", false},
    {"invalid length of a UTF-8", "the file is not UTF-8 here", "save the file as UTF-8", false},
    {"invalid Unicode character", "the file is not UTF-8 here", "save the file as UTF-8", false},
};

static const advice tab_advice = {"", "a tab where YAML wants spaces", "indent with spaces, two a level",
                                  false};

static const advice *find_advice(const advice *list, size_t count, const char *yaml)
{
    for (size_t i = 0; i < count; i++) {
        if (strncmp(yaml, list[i].yaml, strlen(list[i].yaml)) == 0) return &list[i];
    }
    return NULL;
}

/* The reader's errors come with a byte offset only. */
static sl_mark mark_of_offset(const yaml_parser_t *parser, const char *file)
{
    sl_span text = {(const char *)parser->input.string.start,
                    (size_t)(parser->input.string.end - parser->input.string.start)};
    sl_mark mark = {file, 1, 1, 0, 0};
    for (size_t at = 0; at < text.len && at < parser->problem_offset;) {
        size_t brk = sl_text__break(text, at);
        mark.line += brk > 0;
        mark.column = brk ? 1 : mark.column + 1;
        at += brk ? brk : sl_text__char(text, at);
    }
    return mark;
}

/* The byte at the place, or 0 behind the end. */
static char char_at(const yaml_parser_t *parser, sl_mark at)
{
    sl_span text = {(const char *)parser->input.string.start,
                    (size_t)(parser->input.string.end - parser->input.string.start)};
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < text.len;) {
        size_t brk = sl_text__break(text, i);
        if (line == at.line && column == at.column) return text.ptr[i];
        line += brk > 0;
        column = brk ? 1 : column + 1;
        i += brk ? brk : sl_text__char(text, i);
    }
    return 0;
}

static sl_mark mark_of_error(const yaml_parser_t *parser, const char *file, bool at_context)
{
    if (parser->error == YAML_READER_ERROR) return mark_of_offset(parser, file);
    const yaml_mark_t *at = at_context && parser->context ? &parser->context_mark : &parser->problem_mark;
    return (sl_mark){file, (uint32_t)at->line + 1, (uint32_t)at->column + 1, 0, 0};
}

void sl_yaml__report(const yaml_parser_t *parser, const char *file, sl_problems *problems)
{
    if (parser->error == YAML_MEMORY_ERROR) sl_bug("out of memory in the YAML parser");
    const char *yaml = parser->problem ? parser->problem : "not YAML";
    bool in_quotes = parser->context && strstr(parser->context, "quoted scalar");
    const advice *a = in_quotes ? find_advice(quote_advice, SL_LEN(quote_advice), yaml) : NULL;
    if (!a) a = find_advice(general_advice, SL_LEN(general_advice), yaml);
    sl_mark mark = mark_of_error(parser, file, a && a->at_context);
    if (a && parser->error != YAML_READER_ERROR && char_at(parser, mark) == '\t') a = &tab_advice;
    sl_problems_hide_by_name(problems, file);
    if (a)
        sl_problems_error(problems, mark, a->hint, "%s", a->text);
    else
        sl_problems_error(problems, mark, NULL, "%s", yaml);
}
