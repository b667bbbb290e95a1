/* aws_region.c: the region, as far as it is known without asking anybody. Source: "AWS Region", AWS SDKs and Tools
 * Reference Guide (feature-region.html). */
#include "aws_files.h"
#include "aws_source.h"

static int from_profile(sl_aws_ask *ask, sl_err *err)
{
    bool named;
    sl_span profile = sl_aws_profile_name(ask->conf, &named);
    sl_aws_files files;
    int rc = sl_aws_files_read(&files, err);
    if (rc == 0) ask->region = sl_arena_dup(&ask->arena, sl_aws_files_get(&files, profile, "region"));
    sl_aws_files_release(&files);
    if (rc == 0 && !ask->region.len)
        rc = sl_err_set(err, SL_E_NOT_FOUND, "set option `region`, or AWS_REGION");
    return rc;
}

static int step(sl_aws_ask *ask, sl_err *err)
{
    ask->region = ask->conf->region;
    if (!ask->region.len) ask->region = sl_arena_dup(&ask->arena, sl_aws_env("AWS_REGION"));
    if (!ask->region.len) ask->region = sl_arena_dup(&ask->arena, sl_aws_env("AWS_DEFAULT_REGION"));
    return ask->region.len ? 0 : from_profile(ask, err);
}

const sl_aws_source sl_aws_region_source = {.name = "region", .step = step};
