/* aws_source_imds.c: the instance metadata service of EC2, version 2: a token first, then the role's name, then its
 * credentials. Version 1, which gives them to whoever can make this machine send a request, is not asked.
 *
 * Source: "Use the Instance Metadata Service to access instance metadata", Amazon EC2 User Guide
 * (configuring-instance-metadata-service.html); "IMDS credential provider", AWS SDKs and Tools Reference Guide
 * (feature-imds-credentials.html).
 */
#include "aws_answer.h"
#include "aws_canonical.h"
#include "aws_source.h"
#include "net/url.h"

#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"
/* Where the service itself has trouble, it goes on giving credentials that have ended, and AWS goes on taking them:
 * they are used, and asked for again after this time ("static stability"; botocore does the same). */
#define STALE_NS (10 * 60 * SL_NS_PER_S)

static const sl_aws_spelling spelling = {NULL, "AccessKeyId", "SecretAccessKey", "Token", "Expiration"};

static int choose_url(sl_aws_ask *ask, sl_err *err)
{
    if (sl_span_is_nocase(sl_aws_env("AWS_EC2_METADATA_DISABLED"), SL_SPAN("true")))
        return sl_err_set(err, SL_E_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is true");
    sl_span url = sl_aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    bool v6 = sl_span_is_nocase(sl_aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), SL_SPAN("IPv6"));
    if (!url.len) url = v6 ? SL_SPAN("http://[fd00:ec2::254]") : SL_SPAN("http://169.254.169.254");
    int rc = sl_url_check(url, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "it takes none", err);
    ask->want.url = sl_arena_dup(&ask->arena, url);
    ask->want.local = true;
    return rc;
}

static int ask_token(sl_aws_ask *ask, sl_err *err)
{
    int rc = choose_url(ask, err);
    if (rc < 0) return rc;
    ask->want.method = "PUT";
    ask->want.path = SL_SPAN("/latest/api/token");
    sl_aws_want_header(&ask->want, "X-aws-ec2-metadata-token-ttl-seconds", SL_SPAN("300"));
    return SL_E_AGAIN;
}

static bool is_word(sl_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') return false;
    }
    return text.len > 0;
}

static int keep_token(sl_aws_ask *ask, sl_err *err)
{
    sl_span token = sl_span_trim(ask->answer->body);
    if (!is_word(token)) return sl_err_set(err, SL_E_SYNTAX, "the answer is no token");
    sl_buf_append_span(&ask->kept, token);
    return 0;
}

static int ask_path(sl_aws_ask *ask, sl_span path, sl_err *err)
{
    int rc = choose_url(ask, err);
    ask->want.method = "GET";
    ask->want.path = path;
    sl_aws_want_header(&ask->want, "X-aws-ec2-metadata-token", sl_buf_span(&ask->kept));
    return rc < 0 ? rc : SL_E_AGAIN;
}

/* ---- credentials ---- */

static int ask_role(sl_aws_ask *ask, sl_err *err)
{
    sl_span list = sl_span_trim(ask->answer->body);
    sl_span role = sl_span_trim((sl_span){list.ptr, sl_span_find(list, SL_SPAN("\n"), 0)});
    if (!is_word(role)) return sl_err_set(err, SL_E_NOT_FOUND, "this instance has no role");
    sl_buf path = SL_BUF_NONE;
    sl_buf_append_cstr(&path, ROLES_PATH);
    sl_aws_uri_encode(&path, role, false);
    sl_span copy = sl_arena_dup(&ask->arena, sl_buf_span(&path));
    sl_buf_release(&path);
    return ask_path(ask, copy, err);
}

static int take_credentials(sl_aws_ask *ask, sl_err *err)
{
    int rc = sl_aws_answer_json(ask->answer->body, &spelling, sl_aws_source_imds.name, &ask->keys, err);
    int64_t *ends = &ask->keys.credentials.expires_ns;
    if (rc == 0 && *ends && *ends < ask->now_ns) *ends = ask->now_ns + STALE_NS;
    return rc;
}

static int step(sl_aws_ask *ask, sl_err *err)
{
    int rc = 0;
    switch (ask->step++) {
    case 0: return ask_token(ask, err);
    case 1: rc = keep_token(ask, err); return rc < 0 ? rc : ask_path(ask, SL_SPAN(ROLES_PATH), err);
    case 2: return ask_role(ask, err);
    default: return take_credentials(ask, err);
    }
}

const sl_aws_source sl_aws_source_imds = {.name = "instance metadata", .step = step};

/* ---- the region ---- */

static int region_step(sl_aws_ask *ask, sl_err *err)
{
    int rc = 0;
    switch (ask->step++) {
    case 0: return ask_token(ask, err);
    case 1:
        rc = keep_token(ask, err);
        return rc < 0 ? rc : ask_path(ask, SL_SPAN("/latest/meta-data/placement/region"), err);
    default: break;
    }
    sl_span region = sl_span_trim(ask->answer->body);
    if (!is_word(region)) return sl_err_set(err, SL_E_SYNTAX, "the answer is no region");
    ask->region = sl_arena_dup(&ask->arena, region);
    return 0;
}

const sl_aws_source sl_aws_imds_region_source = {.name = "instance metadata", .step = region_step};
