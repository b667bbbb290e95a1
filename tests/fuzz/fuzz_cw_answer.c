/* <number of events> <body>: whatever CloudWatch Logs answers, its readers read nothing outside it; what they say
 * is within the request, and a type is letters and digits. */
#include "../../plugins/outputs/cloudwatch/cw_answer.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rejected(sl_span body, sl_tape *tape, uint32_t count)
{
    cw_rejected rejected;
    if (cw_rejected_read(body, tape, count, &rejected)) return;
    if (rejected.old_end > count || rejected.expired_end > count || rejected.new_start > count) abort();
    if (tape->tok[0].type != SL_JSON_OBJECT) abort();
}

static void check_error(sl_span body, sl_tape *tape)
{
    cw_error error;
    cw_error_read(body, tape, &error);
    size_t len = strlen(error.type);
    if (len > CW_MAX_TYPE) abort();
    for (size_t i = 0; i < len; i++) {
        char c = error.type[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) abort();
    }
    if (!error.message.len) return;
    if (error.message.ptr < body.ptr || error.message.ptr + error.message.len > body.ptr + body.len) abort();
    if (memchr(error.message.ptr, '\n', error.message.len)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    char *copy = malloc(size); /* its own memory, so that the sanitizer sees a byte too far */
    memcpy(copy, data + 1, size - 1);
    sl_span body = {copy, size - 1};
    sl_tape tape = {0};
    check_rejected(body, &tape, 1 + data[0] % 8);
    check_error(body, &tape);
    sl_tape_release(&tape);
    free(copy);
    return 0;
}
