/* aws_sts.c: roles: taken on with the credentials at hand, or with the token of another identity provider. */
#include "aws_sts.h"
#include "aws_answer.h"
#include "aws_canonical.h"
#include "net/url.h"
#include "sigv4.h"

static const sl_aws_service sts = {.name = "sts", .host = "sts", .gov_is_fips = true};

void sl_aws_sts_parameter(sl_aws_ask *ask, const char *name, sl_span value)
{
    sl_buf *body = &ask->want.body;
    if (body->len) sl_buf_append_char(body, '&');
    sl_buf_append_cstr(body, name);
    sl_buf_append_char(body, '=');
    sl_aws_uri_encode(body, value, false);
}

static int choose_url(sl_aws_ask *ask, sl_err *err)
{
    if (!ask->region.len)
        return sl_err_set(err, SL_E_CONFIG,
                          "the region of STS is not known: set option `region`, or AWS_REGION");
    sl_aws_conf names = *ask->conf;
    if (!ask->conf->sts_endpoint.len)
        names.endpoint = sl_aws_env("AWS_ENDPOINT_URL_STS");
    else
        names.endpoint = ask->conf->sts_endpoint;
    sl_buf url = SL_BUF_NONE;
    int rc = sl_aws_endpoint(&names, &sts, ask->region, &url, err);
    ask->want.url = sl_arena_dup(&ask->arena, sl_buf_span(&url));
    sl_buf_release(&url);
    return rc;
}

int sl_aws_sts_request(sl_aws_ask *ask, const char *action, const sl_aws_role *role, sl_err *err)
{
    int rc = choose_url(ask, err);
    if (rc < 0) return rc;
    ask->want.method = "POST";
    ask->want.path = SL_SPAN("/");
    sl_aws_sts_parameter(ask, "Action", sl_span_of(action));
    sl_aws_sts_parameter(ask, "Version", SL_SPAN("2011-06-15"));
    sl_aws_sts_parameter(ask, "RoleArn", role->arn);
    sl_aws_sts_parameter(ask, "RoleSessionName",
                         role->session_name.len ? role->session_name : SL_SPAN("sluice"));
    if (role->external_id.len) sl_aws_sts_parameter(ask, "ExternalId", role->external_id);
    if (role->duration_ns)
        sl_aws_sts_parameter(ask, "DurationSeconds",
                             sl_aws_ask_text(ask, "%lld", (long long)(role->duration_ns / SL_NS_PER_S)));
    return 0;
}

/* ---- a role on top of what was found ---- */

static void sign(sl_aws_ask *ask)
{
    sl_aws_want *want = &ask->want;
    sl_url_parts url = sl_url_split(want->url);
    static const sl_http_header form = {"Content-Type", SL_SPAN(SL_AWS_FORM)};
    sl_sigv4_scope scope = {.credentials = &ask->keys.credentials,
                            .region = ask->region,
                            .host = url.port.len
                                        ? sl_aws_ask_text(ask, SL_SPAN_FMT ":" SL_SPAN_FMT,
                                                          SL_SPAN_ARG(url.host), SL_SPAN_ARG(url.port))
                                        : url.host,
                            .service = sts.name,
                            .now_ns = ask->now_ns};
    sl_aws_request req = {
        .method = want->method,
        .path = sl_aws_ask_text(ask, SL_SPAN_FMT SL_SPAN_FMT, SL_SPAN_ARG(url.path), SL_SPAN_ARG(want->path)),
        .headers = &form,
        .header_count = 1,
        .body = sl_buf_span(&want->body)};
    sl_sigv4 sigv4 = {.key = {0}};
    sl_sigv4_sign(&sigv4, &scope, &req, &want->headers);
    sl_sigv4_release(&sigv4);
}

static int take_role(sl_aws_ask *ask, sl_err *err)
{
    if (ask->step++ == 0) {
        int rc = sl_aws_sts_request(ask, "AssumeRole", &ask->roles[0], err);
        if (rc < 0) return rc;
        sign(ask);
        return SL_E_AGAIN;
    }
    const char *source = ask->keys.credentials.source;
    int rc = sl_aws_answer_sts(ask->answer->body, source, &ask->keys, err);
    if (rc < 0) return rc;
    ask->role_count--;
    memmove(ask->roles, ask->roles + 1, ask->role_count * sizeof ask->roles[0]);
    return 0;
}

const sl_aws_source sl_aws_role_source = {.name = "assume_role", .step = take_role};

/* ---- web identity ---- */

static int web_identity_answer(sl_aws_ask *ask, sl_err *err)
{
    return sl_aws_answer_sts(ask->answer->body, sl_aws_source_web_identity.name, &ask->keys, err);
}

static const sl_aws_source answer_source = {.name = "web identity", .step = web_identity_answer};

int sl_aws_web_identity_begin(sl_aws_ask *ask, const char *token_file, const sl_aws_role *role, sl_err *err)
{
    sl_buf token = SL_BUF_NONE;
    int rc = sl_aws_token_file(token_file, &token, err);
    if (rc == 0) rc = sl_aws_sts_request(ask, "AssumeRoleWithWebIdentity", role, err);
    if (rc == 0) {
        sl_aws_sts_parameter(ask, "WebIdentityToken", sl_buf_span(&token));
        ask->delegate = &answer_source;
        rc = SL_E_AGAIN;
    }
    sl_aws_wipe_buf(&token);
    return rc;
}

static int from_environment(sl_aws_ask *ask, sl_err *err)
{
    sl_span file = sl_aws_env("AWS_WEB_IDENTITY_TOKEN_FILE");
    sl_aws_role role = {.arn = sl_aws_env("AWS_ROLE_ARN"),
                        .session_name = sl_aws_env("AWS_ROLE_SESSION_NAME")};
    if (!file.len) return sl_err_set(err, SL_E_NOT_FOUND, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    if (!role.arn.len)
        return sl_err_set(err, SL_E_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    char *path = sl_strndup(file.ptr, file.len);
    int rc = sl_aws_web_identity_begin(ask, path, &role, err);
    sl_free(path);
    return rc;
}

const sl_aws_source sl_aws_source_web_identity = {.name = "web identity", .step = from_environment};
