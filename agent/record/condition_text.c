/* condition_text.c: where the parser of conditions is in the text, and what to say where it can't go on. */
#include "condition_int.h"

#include <stdio.h>

bool sl_cond__fail(sl_cond_text *in, size_t at, const char *fmt, ...)
{
    char what[SL_ERR_TEXT_MAX - 32];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    sl_err_set(in->err, SL_E_SYNTAX, "column %zu: %s", at + 1, what);
    return false;
}

void sl_cond__skip_space(sl_cond_text *in)
{
    while (in->at < in->text.len && memchr(" \t\r\n", in->text.ptr[in->at], 4))
        in->at++;
}

char sl_cond__peek(const sl_cond_text *in)
{
    return in->at < in->text.len ? in->text.ptr[in->at] : '\0';
}

sl_span sl_cond__word_here(const sl_cond_text *in)
{
    size_t end = in->at;
    while (end < in->text.len && sl_path__is_name_byte((unsigned char)in->text.ptr[end]))
        end++;
    return (sl_span){in->text.ptr + in->at, end - in->at};
}

bool sl_cond__take_word(sl_cond_text *in, const char *word)
{
    sl_span here = sl_cond__word_here(in);
    if (!sl_span_is_cstr(here, word)) return false;
    size_t end = in->at + here.len;
    if (end < in->text.len && in->text.ptr[end] == '.') return false;
    in->at = end;
    sl_cond__skip_space(in);
    return true;
}

bool sl_cond__take_sign(sl_cond_text *in, const char *sign)
{
    size_t len = strlen(sign);
    if (in->text.len - in->at < len || memcmp(in->text.ptr + in->at, sign, len) != 0) return false;
    in->at += len;
    sl_cond__skip_space(in);
    return true;
}

/* Words and signs of other languages, and what they are here. */
typedef struct hint {
    const char *other, *here;
} hint;

static const hint signs[] = {
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
};

static const hint words[] = {
    {"AND", "write `and`, in small letters"},
    {"OR", "write `or`, in small letters"},
    {"NOT", "write `not`, in small letters"},
    {"not", "write `not` in front: `not (field in [\"a\"])`"},
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

const char *sl_cond__hint_here(const sl_cond_text *in)
{
    sl_span rest = {in->text.ptr + in->at, in->text.len - in->at}, word = sl_cond__word_here(in);
    for (size_t i = 0; i < SL_LEN(signs); i++)
        if (sl_span_starts_with(rest, sl_span_of(signs[i].other))) return signs[i].here;
    for (size_t i = 0; i < SL_LEN(words); i++)
        if (sl_span_is_cstr(word, words[i].other)) return words[i].here;
    return NULL;
}
