/* aws_options.c: the options that every output for AWS shares. */
#include "net/url.h"
#include <sluice/aws.h>

#define NO_LOGIN "AWS takes signatures only"

static const char *const source_names[] = {"auto",         "options",   "environment", "profile",
                                           "web_identity", "container", "imds",        NULL};

static const sl_option assume_options[] = {
    {"role_arn", SL_OPT_STRING, offsetof(sl_aws_assume_conf, role_arn),
     .flags = SL_OPT_REQUIRED | SL_OPT_MAIN, .help = "The role, `arn:aws:iam::123456789012:role/logs`."},
    {"external_id", SL_OPT_STRING, offsetof(sl_aws_assume_conf, external_id),
     .help = "What the role's owner agreed with you, where its trust policy asks for it."},
    {"session_name", SL_OPT_STRING, offsetof(sl_aws_assume_conf, session_name), .def = "sluice",
     .help = "Shown in CloudTrail."},
    {"duration", SL_OPT_DURATION, offsetof(sl_aws_assume_conf, duration_ns), .min = 900e9, .max = 43200e9,
     .help = "How long credentials of the role are to be good; default: AWS's, an hour."},
    {0}};

const sl_option sl_aws_options[] = {
    {"region", SL_OPT_STRING, offsetof(sl_aws_conf, region),
     .help = "Region of AWS, `eu-west-1`. Default: `AWS_REGION` or `AWS_DEFAULT_REGION` of the environment, "
             "that of the profile, or the instance's own."},
    {"endpoint", SL_OPT_STRING, offsetof(sl_aws_conf, endpoint),
     .help = "URL of the service, where it is not AWS's public one: a VPC endpoint, another provider, a "
             "stand-in."},
    {"sts_endpoint", SL_OPT_STRING, offsetof(sl_aws_conf, sts_endpoint),
     .help = "The same for STS, which gives the credentials of roles."},
    {"fips", SL_OPT_BOOL, offsetof(sl_aws_conf, fips), .def = "false",
     .help = "Use the endpoints with cryptography validated after FIPS 140."},
    {"dual_stack", SL_OPT_BOOL, offsetof(sl_aws_conf, dual_stack), .def = "false",
     .help = "Use the endpoints that have IPv6 addresses, too."},
    {"credentials", SL_OPT_ENUM, offsetof(sl_aws_conf, credentials), .def = "auto", .names = source_names,
     .help =
         "Where credentials come from. `auto` takes the first of the others that is set up, in the order "
         "written here. `environment`: `AWS_ACCESS_KEY_ID` and its like; `profile`: the shared files, also "
         "with `aws sso login`; `web_identity`: IRSA on EKS; `container`: ECS and EKS Pod Identity; `imds`: "
         "the role of an EC2 instance, by IMDSv2, which answers to containers only where its hop limit is "
         "2."},
    {"access_key_id", SL_OPT_STRING, offsetof(sl_aws_conf, access_key_id),
     .help = "Access key, for the source `options`."},
    {"secret_access_key", SL_OPT_SECRET, offsetof(sl_aws_conf, secret_access_key),
     .help = "Secret of `access_key_id`."},
    {"session_token", SL_OPT_SECRET, offsetof(sl_aws_conf, session_token),
     .help = "Session token of `access_key_id`, where it is a temporary one."},
    {"profile", SL_OPT_STRING, offsetof(sl_aws_conf, profile),
     .help =
         "Profile of the shared files, instead of `AWS_PROFILE` or `default`; `auto` then leaves keys in the "
         "environment alone."},
    {"assume_role", SL_OPT_GROUP, offsetof(sl_aws_conf, assume_role), .rows = assume_options,
     .help = "A role to take on with the credentials found, such as one in another account."},
    {0}};

/* ---- checks ---- */

static int check_region(const sl_aws_conf *conf, sl_err *err)
{
    if (!conf->region.len) return 0;
    static const sl_aws_service any = {.name = "any", .host = "any"};
    sl_buf url = SL_BUF_NONE;
    int rc = sl_aws_endpoint(conf, &any, conf->region, &url, err);
    sl_buf_release(&url);
    return rc < 0 ? sl_err_prefix(err, "option `region`") : 0;
}

static int check_keys(const sl_aws_conf *conf, sl_err *err)
{
    if (conf->credentials == SL_AWS_OPTIONS && !conf->access_key_id.len)
        return sl_err_set(err, SL_E_CONFIG, "option `credentials`: `options` needs `access_key_id`");
    if (conf->access_key_id.len && !conf->secret_access_key.len)
        return sl_err_set(err, SL_E_CONFIG, "option `access_key_id` needs `secret_access_key`");
    if (!conf->access_key_id.len && (conf->secret_access_key.len || conf->session_token.len))
        return sl_err_set(err, SL_E_CONFIG, "option `%s` needs `access_key_id`",
                          conf->secret_access_key.len ? "secret_access_key" : "session_token");
    if (conf->access_key_id.len && conf->credentials > SL_AWS_OPTIONS)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `access_key_id` has no use: `credentials` names another source");
    if (conf->profile.len && conf->credentials != SL_AWS_AUTO && conf->credentials != SL_AWS_PROFILE)
        return sl_err_set(err, SL_E_CONFIG,
                          "option `profile` has no use: `credentials` names another source");
    return 0;
}

static bool has_only(sl_span text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!plain && !(c && strchr(more, c))) return false;
    }
    return true;
}

/* The limits of AssumeRole, AWS STS API Reference. */
static int check_role(const sl_aws_assume_conf *role, sl_err *err)
{
    if (!role->role_arn.len) return 0;
    if (!sl_span_starts_with(role->role_arn, SL_SPAN("arn:")) || role->role_arn.len < 20 ||
        role->role_arn.len > 2048 || !has_only(role->role_arn, ":/-_+=,.@"))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `assume_role.role_arn`: write it as arn:aws:iam::123456789012:role/name");
    sl_span name = role->session_name, id = role->external_id;
    if (name.len && (name.len < 2 || name.len > 64 || !has_only(name, "_+=,.@-")))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `assume_role.session_name`: 2 to 64 letters, digits and _+=,.@-");
    if (id.len && (id.len < 2 || id.len > 1224 || !has_only(id, "_+=,.@:/-")))
        return sl_err_set(err, SL_E_CONFIG,
                          "option `assume_role.external_id`: 2 to 1224 letters, digits and _+=,.@:/-");
    return 0;
}

int sl_aws_conf_check(const sl_aws_conf *conf, sl_err *err)
{
    int rc = check_region(conf, err);
    if (rc == 0 && conf->endpoint.len) rc = sl_url_check(conf->endpoint, "option `endpoint`", NO_LOGIN, err);
    if (rc == 0 && conf->sts_endpoint.len)
        rc = sl_url_check(conf->sts_endpoint, "option `sts_endpoint`", NO_LOGIN, err);
    if (rc == 0) rc = check_keys(conf, err);
    if (rc == 0) rc = check_role(&conf->assume_role, err);
    return rc;
}
