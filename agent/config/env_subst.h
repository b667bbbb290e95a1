/* env_subst.h: `${…}` in the values of a configuration.
 *
 *   ${VAR}            the environment variable; an error when it is not set
 *   ${VAR:-default}   the default when it is not set or empty; taken as it is, up to the first `}`
 *   ${file:/path}     the content of a file (absolute path), without its last line break: for secrets
 *   $$                one `$`
 *
 * It runs on the text of one parsed scalar, so a value can never add keys, end a quote or open a comment. Any
 * other `$` stays as it is. What is put in is not looked at again.
 */
#ifndef SLUICE_CONFIG_ENV_SUBST_H
#define SLUICE_CONFIG_ENV_SUBST_H

#include <sluice/base.h>

#define SL_MAX_SUBST_FILE  (64u * 1024)  /* bytes of one ${file:…} */
#define SL_MAX_SUBST_VALUE (256u * 1024) /* bytes of a value after substitution */

typedef struct sl_subst {
    sl_span
        text; /* NUL-terminated behind its end; in the arena, or the given text itself when nothing changed */
    bool changed; /* something came from the environment or a file */
    bool secret;  /* something came from a file */
} sl_subst;

/* 0; SL_E_SYNTAX, SL_E_NOT_FOUND (variable not set, no such file), SL_E_LIMIT, or the error of reading: then
 * *at is the byte offset of the `$` in `text`, *len the length of the reference, and *hint (may be NULL) says
 * what to do, in the arena or static. */
int sl_env_subst(sl_span text, sl_arena *arena, sl_subst *out, size_t *at, size_t *len, const char **hint,
                 sl_err *err);

#endif
