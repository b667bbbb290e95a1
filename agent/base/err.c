/* err.c: errors as values. The text is always a whole sentence: the last place that can name what failed adds
 * it. */
#include <errno.h>
#include <sluice/base.h>
#include <stdio.h>
#include <stdlib.h>

int sl_err_set(sl_err *err, int code, const char *fmt, ...)
{
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    err->code = code;
    err->sys = 0;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return code;
}

static int code_of_errno(int sys)
{
    switch (sys) {
    case ENOMEM: return SL_E_NOMEM;
    case ENOENT:
    case ENOTDIR: return SL_E_NOT_FOUND;
    case EEXIST: return SL_E_EXISTS;
    case ENOSPC:
    case EDQUOT: return SL_E_FULL;
    case EACCES:
    case EPERM:
    case EROFS: return SL_E_ACCESS;
    case EMFILE:
    case ENFILE: return SL_E_LIMIT;
    case EAGAIN: return SL_E_AGAIN;
    case ETIMEDOUT: return SL_E_TIMEOUT;
    case EINTR: return SL_E_INTERRUPTED;
    default: return SL_E_IO;
    }
}

int sl_err_sys(sl_err *err, int sys, const char *fmt, ...)
{
    int code = code_of_errno(sys);
    if (!err) return code;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    err->code = code;
    err->sys = sys;
    if (len >= 0 && (size_t)len < sizeof err->text) {
        char reason[128];
        snprintf(err->text + len, sizeof err->text - (size_t)len, ": %s",
                 strerror_r(sys, reason, sizeof reason));
    }
    return code;
}

int sl_err_prefix(sl_err *err, const char *fmt, ...)
{
    if (!err || !err->code) return err ? err->code : 0;
    char text[SL_ERR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text) return err->code;
    snprintf(text + len, sizeof text - (size_t)len, ": %.*s", (int)(sizeof text - (size_t)len), err->text);
    memcpy(err->text, text, sizeof text);
    return err->code;
}

bool sl_err_may_pass(const sl_err *err)
{
    switch (err->sys) {
    case EIO:
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETIMEDOUT:
    case ESTALE:
    case EUCLEAN: return true; /* a damaged file system, until it is mended */
    default: return false;
    }
}

const char *sl_err_name(int code)
{
    switch (code) {
#define CASE(name, number, text)                                                                             \
    case number: return "SL_E_" #name;
        SL_ERR_MAP(CASE)
#undef CASE
    default: return "SL_E_?";
    }
}

const char *sl_err_text(int code)
{
    switch (code) {
#define CASE(name, number, text)                                                                             \
    case number: return text;
        SL_ERR_MAP(CASE)
#undef CASE
    default: return "unknown error";
    }
}

void sl_bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "BUG: %s:%d: ", file, line);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}
