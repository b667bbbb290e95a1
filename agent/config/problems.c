/* problems.c: collects what is wrong and prints it in order of place.
 *
 * Sources and hidden ranges are kept beside the problems, and lines are made only when printing: what is a
 * secret is often known only after a problem on the same line has been found.
 */
#include "config_int.h"
#include <stdio.h>
#include <stdlib.h>

sl_problems *sl_problems_new(void)
{
    return sl_calloc(1, sizeof(sl_problems));
}

void sl_problems_free(sl_problems *problems)
{
    if (!problems) return;
    for (size_t i = 0; i < problems->source_count; i++)
        sl_wipe((char *)problems->sources[i].text.ptr, problems->sources[i].text.len);
    sl_arena_release(&problems->arena);
    sl_free(problems->sources);
    sl_free(problems->hidden);
    sl_free(problems);
}

static sl_source *find_source(const sl_problems *problems, const char *file)
{
    for (size_t i = 0; file && i < problems->source_count; i++) {
        if (strcmp(problems->sources[i].file, file) == 0) return &problems->sources[i];
    }
    return NULL;
}

/* Room for one more item behind `count` ones. */
static void *grow(void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) return items;
    *cap = *cap ? *cap * 2 : 8;
    return sl_realloc(items, *cap * size);
}

void sl_problems_add_source(sl_problems *problems, const char *file, sl_span text)
{
    problems->sources =
        grow(problems->sources, problems->source_count, &problems->source_cap, sizeof *problems->sources);
    sl_source *source = &problems->sources[problems->source_count++];
    source->file = sl_arena_strndup(&problems->arena, file, strlen(file));
    source->text = sl_arena_dup(&problems->arena, text);
    source->hide_by_name = false;
}

void sl_problems_hide(sl_problems *problems, sl_mark mark)
{
    sl_source *source = find_source(problems, mark.file);
    if (!source) return;
    problems->hidden =
        grow(problems->hidden, problems->hidden_count, &problems->hidden_cap, sizeof *problems->hidden);
    mark.file = source->file;
    problems->hidden[problems->hidden_count++] = mark;
}

void sl_problems_hide_by_name(sl_problems *problems, const char *file)
{
    sl_source *source = find_source(problems, file);
    if (source) source->hide_by_name = true;
}

/* An anchored value is read once for each alias: what is wrong with it is told once. */
static bool is_known(const sl_problems *problems, sl_mark mark, const char *text)
{
    for (size_t i = 0; i < problems->count; i++) {
        const sl_problem *p = &problems->list[i];
        if (p->mark.line == mark.line && p->mark.column == mark.column && !strcmp(p->text, text) &&
            (p->mark.file == mark.file || (p->mark.file && mark.file && !strcmp(p->mark.file, mark.file))))
            return true;
    }
    return false;
}

/* Messages repeat keys and paths, which may hold anything; they go to a terminal. */
static char *clean(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    }
    return text;
}

static void add(sl_problems *problems, sl_mark mark, bool warning, const char *hint, char *text)
{
    clean(text);
    if (is_known(problems, mark, text)) return;
    *(warning ? &problems->warnings : &problems->errors) += 1;
    if (problems->count == SL_MAX_PROBLEMS) return;

    sl_problem *p = &problems->list[problems->count];
    sl_source *source = find_source(problems, mark.file);
    p->mark = mark;
    if (source)
        p->mark.file = source->file;
    else if (mark.file)
        p->mark.file = sl_arena_strndup(&problems->arena, mark.file, strlen(mark.file));
    p->text = sl_arena_strndup(&problems->arena, text, strlen(text));
    p->hint = hint ? clean(sl_arena_strndup(&problems->arena, hint, strlen(hint))) : NULL;
    p->warning = warning;
    p->order = (uint32_t)problems->count++;
    p->source = source ? (uint32_t)(source - problems->sources) : UINT32_MAX;
}

void sl_problems_error(sl_problems *problems, sl_mark mark, const char *hint, const char *fmt, ...)
{
    char text[SL_ERR_TEXT_MAX * 2];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add(problems, mark, false, hint, text);
}

void sl_problems_warn(sl_problems *problems, sl_mark mark, const char *hint, const char *fmt, ...)
{
    char text[SL_ERR_TEXT_MAX * 2];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add(problems, mark, true, hint, text);
}

size_t sl_problems_errors(const sl_problems *problems)
{
    return problems->errors;
}

size_t sl_problems_warnings(const sl_problems *problems)
{
    return problems->warnings;
}

static int compare(const void *a, const void *b)
{
    const sl_problem *x = *(const sl_problem *const *)a, *y = *(const sl_problem *const *)b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->mark.line != y->mark.line) return x->mark.line < y->mark.line ? -1 : 1;
    if (x->mark.column != y->mark.column) return x->mark.column < y->mark.column ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void print_one(const sl_problems *problems, const sl_problem *p, sl_buf *out)
{
    if (p->mark.file) {
        sl_buf_append_cstr(out, p->mark.file);
        if (p->mark.line) sl_buf_printf(out, ":%u:%u", p->mark.line, p->mark.column);
        sl_buf_append_cstr(out, ": ");
    }
    sl_buf_printf(out, "%s: %s\n", p->warning ? "warning" : "error", p->text);
    sl_problem__show_line(problems, p, out);
    if (p->hint) sl_buf_printf(out, "  hint: %s\n", p->hint);
}

void sl_problems_print(const sl_problems *problems, sl_buf *out)
{
    const sl_problem *sorted[SL_MAX_PROBLEMS];
    for (size_t i = 0; i < problems->count; i++)
        sorted[i] = &problems->list[i];
    qsort(sorted, problems->count, sizeof sorted[0], compare);
    for (size_t i = 0; i < problems->count; i++)
        print_one(problems, sorted[i], out);

    size_t more = problems->errors + problems->warnings - problems->count;
    if (more) sl_buf_printf(out, "and %zu more: mend these first\n", more);
}
