/* aws_sso.c: the token of a login, exchanged for the credentials of a role. */
#include "aws_sso.h"
#include "aws_answer.h"
#include "aws_canonical.h"
#include <openssl/evp.h>
#include <sluice/fs.h>
#include <sluice/record.h>

#define SHA1_LEN 20

static const sl_aws_spelling spelling = {"roleCredentials", "accessKeyId", "secretAccessKey", "sessionToken",
                                         "expiration"};
static const sl_aws_service portal = {.name = "awsssoportal", .host = "portal.sso", .gov_is_fips = true};

static int finish(sl_aws_ask *ask, sl_err *err)
{
    return sl_aws_answer_json(ask->answer->body, &spelling, "profile", &ask->keys, err);
}

static const sl_aws_source answer_source = {.name = "profile", .step = finish};

/* What the profile says, itself or by the sso-session that it names. */
typedef struct login {
    sl_span cache_key; /* whose SHA-1 is the name of the file: the session's name, or the start URL */
    sl_span region, account, role;
} login;

static int read_login(const sl_aws_files *files, sl_span profile, login *out, sl_err *err)
{
    sl_span session = sl_aws_files_get(files, profile, "sso_session");
    *out = (login){.cache_key = session.len ? session : sl_aws_files_get(files, profile, "sso_start_url"),
                   .region = session.len ? sl_aws_files_get_sso(files, session, "sso_region")
                                         : sl_aws_files_get(files, profile, "sso_region"),
                   .account = sl_aws_files_get(files, profile, "sso_account_id"),
                   .role = sl_aws_files_get(files, profile, "sso_role_name")};
    if (out->cache_key.len && out->region.len && out->role.len) return 0;
    return sl_err_set(
        err, SL_E_CONFIG,
        "sso_account_id needs sso_role_name, and sso_session or sso_start_url, with sso_region");
}

static char *cache_path(sl_span key)
{
    unsigned char digest[SHA1_LEN];
    if (EVP_Digest(key.ptr, key.len, digest, NULL, EVP_sha1(), NULL) != 1) sl_bug("OpenSSL has no SHA-1");
    sl_buf path = SL_BUF_NONE;
    sl_buf_append_cstr(&path, "~/.aws/sso/cache/");
    for (size_t i = 0; i < SHA1_LEN; i++)
        sl_buf_printf(&path, "%02x", digest[i]);
    sl_buf_append_cstr(&path, ".json");
    char *expanded = sl_aws_expand_home(sl_buf_span(&path));
    sl_buf_release(&path);
    return expanded;
}

static int check_token(const sl_aws_json *json, int64_t now_ns, sl_buf *token, sl_err *err)
{
    sl_buf time = SL_BUF_NONE;
    int64_t ends = 0;
    bool whole = sl_aws_json_get(json, "accessToken", token) && sl_aws_json_get(json, "expiresAt", &time) &&
                 sl_time_parse(sl_buf_span(&time), NULL, &ends);
    sl_buf_release(&time);
    if (!whole) return sl_err_set(err, SL_E_SYNTAX, "the cached login is damaged: run `aws sso login`");
    if (ends <= now_ns) return sl_err_set(err, SL_E_ACCESS, "the login has expired: run `aws sso login`");
    return 0;
}

static int read_token(sl_span key, int64_t now_ns, sl_buf *token, sl_err *err)
{
    char *path = cache_path(key);
    if (!path) return sl_err_set(err, SL_E_CONFIG, "HOME is not set");
    sl_buf text = SL_BUF_NONE;
    int rc = sl_fs_read_file(path, SL_AWS_MAX_ANSWER, &text);
    if (rc < 0) {
        sl_err_sys(err, -rc, "no login of `aws sso login`: cannot read %s", path);
        rc = SL_E_ACCESS;
    } else {
        sl_aws_json json;
        rc = sl_aws_json_open(&json, sl_buf_span(&text), NULL, err);
        if (rc == 0) rc = check_token(&json, now_ns, token, err);
        sl_aws_json_release(&json);
    }
    sl_aws_wipe_buf(&text);
    sl_free(path);
    return rc < 0 ? (err->code = rc) : 0;
}

static void make_request(sl_aws_ask *ask, const login *l, sl_span url, sl_span token)
{
    sl_buf path = SL_BUF_NONE;
    sl_buf_append_cstr(&path, "/federation/credentials?role_name=");
    sl_aws_uri_encode(&path, l->role, false);
    sl_buf_append_cstr(&path, "&account_id=");
    sl_aws_uri_encode(&path, l->account, false);
    ask->want.method = "GET";
    ask->want.url = sl_arena_dup(&ask->arena, url);
    ask->want.path = sl_arena_dup(&ask->arena, sl_buf_span(&path));
    sl_aws_want_header(&ask->want, "x-amz-sso_bearer_token", token);
    sl_buf_release(&path);
}

int sl_aws_sso_begin(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err)
{
    login l;
    int rc = read_login(files, profile, &l, err);
    sl_buf token = SL_BUF_NONE, url = SL_BUF_NONE;
    sl_aws_conf names = *ask->conf;
    names.endpoint = sl_aws_env("AWS_ENDPOINT_URL_SSO");
    if (rc == 0) rc = sl_aws_endpoint(&names, &portal, l.region, &url, err);
    if (rc == 0) rc = read_token(l.cache_key, ask->now_ns, &token, err);
    if (rc == 0) {
        make_request(ask, &l, sl_buf_span(&url), sl_buf_span(&token));
        ask->delegate = &answer_source;
        rc = SL_E_AGAIN;
    }
    sl_aws_wipe_buf(&token);
    sl_buf_release(&url);
    return rc;
}
