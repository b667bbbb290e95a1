/* secrets.h: what looks like a secret in a configuration, where no option row says so: in files that don't
 * parse, in unknown keys, in texts that are shown to a person. */
#ifndef SLUICE_CONFIG_SECRETS_H
#define SLUICE_CONFIG_SECRETS_H

#include <sluice/base.h>

#define SL_SECRET_SHOWN "***" /* what stands in the place of a secret */

/* Whether the value of a key with this name is a secret by its name alone: `password`, `X-Api-Key`,
 * `sasl_secret`. */
bool sl_key_is_secret(sl_span key);

/* Finds the next password inside a URL (`https://user:PASSWORD@host`) at or after `from`: its range, or
 * false. */
bool sl_url_find_password(sl_span text, size_t from, size_t *start, size_t *end);

/* Appends text without passwords in URLs and without control characters, cut at `max` bytes with `…`. */
void sl_buf_append_shown(sl_buf *out, sl_span text, size_t max);

#endif
