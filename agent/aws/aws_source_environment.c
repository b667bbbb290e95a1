/* aws_source_environment.c: credentials in the variables of the environment that all of AWS's tools read. Source:
 * "AWS access keys", AWS SDKs and Tools Reference Guide (feature-static-credentials.html). */
#include "aws_source.h"

static int step(sl_aws_ask *ask, sl_err *err)
{
    sl_aws_credentials found = {.access_key_id = sl_aws_env("AWS_ACCESS_KEY_ID"),
                                .secret_access_key = sl_aws_env("AWS_SECRET_ACCESS_KEY"),
                                .session_token = sl_aws_env("AWS_SESSION_TOKEN"),
                                .source = sl_aws_source_environment.name};
    if (!found.access_key_id.len) return sl_err_set(err, SL_E_NOT_FOUND, "AWS_ACCESS_KEY_ID is not set");
    if (!found.secret_access_key.len)
        return sl_err_set(err, SL_E_SYNTAX, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
    return sl_aws_keys_set(&ask->keys, &found, err);
}

const sl_aws_source sl_aws_source_environment = {.name = "environment", .step = step};
