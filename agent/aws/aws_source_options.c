/* aws_source_options.c: credentials that stand in the configuration. */
#include "aws_source.h"

static int step(sl_aws_ask *ask, sl_err *err)
{
    const sl_aws_conf *conf = ask->conf;
    if (!conf->access_key_id.len) return sl_err_set(err, SL_E_NOT_FOUND, "`access_key_id` is not set");
    return sl_aws_keys_set(&ask->keys,
                           &(sl_aws_credentials){.access_key_id = conf->access_key_id,
                                                 .secret_access_key = conf->secret_access_key,
                                                 .session_token = conf->session_token,
                                                 .source = sl_aws_source_options.name},
                           err);
}

const sl_aws_source sl_aws_source_options = {.name = "options", .step = step};
