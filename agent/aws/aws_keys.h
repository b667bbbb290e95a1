/* aws_keys.h: credentials with memory of their own, wiped when they go. One thread at a time. */
#ifndef SLUICE_AWS_KEYS_H
#define SLUICE_AWS_KEYS_H

#include <sluice/aws.h>

/* Far above what AWS gives out (an id has at most 128 bytes, a token a few KiB). */
#define SL_AWS_MAX_KEY   1024
#define SL_AWS_MAX_TOKEN (32u * 1024)

typedef struct sl_aws_keys {
    sl_aws_credentials credentials; /* spans point into text; empty: none */
    sl_buf text;
} sl_aws_keys;

static inline bool sl_aws_keys_has(const sl_aws_keys *keys)
{
    return keys->credentials.access_key_id.len > 0;
}
/* Copies. All of them become parts of headers: bytes that cannot stand there, empty keys and those that are too
 * long are refused with SL_E_SYNTAX, and `keys` stays as it was. source: static. */
int sl_aws_keys_set(sl_aws_keys *keys, const sl_aws_credentials *credentials, sl_err *err);
void sl_aws_keys_release(sl_aws_keys *keys);
void sl_aws_wipe_buf(sl_buf *buf); /* wipes and frees */

#endif
