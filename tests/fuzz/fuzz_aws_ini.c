/* <section type> NUL <section name> NUL <key> NUL <file>: a value lies inside the file, on one line, without white
 * space around it; a section with a value is there. */
#include "aws/aws_ini.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *take(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0, *size);
    if (!end) return NULL;
    const char *text = (const char *)*data;
    *size -= (size_t)(end - *data) + 1;
    *data = end + 1;
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *type = take(&data, &size), *name = type ? take(&data, &size) : NULL;
    const char *key = name ? take(&data, &size) : NULL;
    if (!key) return 0;
    char *copy = malloc(size ? size : 1); /* exactly as long: reading past its end shows */
    if (size) memcpy(copy, data, size);
    sl_span text = {copy, size};
    sl_aws_section section = {type, sl_span_of(name)};
    sl_span value = sl_aws_ini_get(text, &section, key);
    bool has = sl_aws_ini_has(text, &section);
    if (value.len) {
        if (!has || value.ptr < copy || value.ptr + value.len > copy + size) abort();
        if (memchr(value.ptr, '\n', value.len) || sl_span_trim(value).len != value.len) abort();
    }
    free(copy);
    return 0;
}
