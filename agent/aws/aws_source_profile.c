/* aws_source_profile.c: credentials of a profile in the shared files.
 *
 * A profile holds keys, or says where to get them: from IAM Identity Center, with a web identity, or by taking on a
 * role with those of another profile or source. Such profiles are followed to the one that has keys; the roles on
 * the way are noted, and taken on afterwards. Source: "Assume role credential provider" and others, AWS SDKs and
 * Tools Reference Guide (feature-assume-role-credentials.html).
 */
#include "aws_files.h"
#include "aws_source.h"
#include "aws_sso.h"

/* Those of the files that are read here; the rest of a profile does not concern us. */
static int take_keys(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err)
{
    sl_aws_credentials found = {.access_key_id = sl_aws_files_get(files, profile, "aws_access_key_id"),
                                .secret_access_key =
                                    sl_aws_files_get(files, profile, "aws_secret_access_key"),
                                .session_token = sl_aws_files_get(files, profile, "aws_session_token"),
                                .source = sl_aws_source_profile.name};
    return sl_aws_keys_set(&ask->keys, &found, err);
}

static int from_source(sl_aws_ask *ask, sl_span name, sl_err *err)
{
    static const struct {
        const char *name;
        const sl_aws_source *source;
    } known[] = {{"Environment", &sl_aws_source_environment},
                 {"Ec2InstanceMetadata", &sl_aws_source_imds},
                 {"EcsContainer", &sl_aws_source_container}};
    for (size_t i = 0; i < SL_LEN(known); i++) {
        if (!sl_span_is_cstr(name, known[i].name)) continue;
        ask->delegate = known[i].source;
        int rc = ask->delegate->step(ask, err);
        return rc == SL_E_NOT_FOUND ? (err->code = SL_E_CONFIG) : rc; /* the profile asked for it */
    }
    return sl_err_set(err, SL_E_CONFIG,
                      "credential_source is none of Environment, Ec2InstanceMetadata, EcsContainer");
}

static int64_t duration_of(sl_span seconds)
{
    int64_t value = 0;
    for (size_t i = 0; i < seconds.len && i < 6; i++) {
        if (seconds.ptr[i] < '0' || seconds.ptr[i] > '9') return 0;
        value = value * 10 + (seconds.ptr[i] - '0');
    }
    return value * SL_NS_PER_S;
}

static sl_aws_role role_of(const sl_aws_files *files, sl_span profile)
{
    return (sl_aws_role){.arn = sl_aws_files_get(files, profile, "role_arn"),
                         .external_id = sl_aws_files_get(files, profile, "external_id"),
                         .session_name = sl_aws_files_get(files, profile, "role_session_name"),
                         .duration_ns = duration_of(sl_aws_files_get(files, profile, "duration_seconds"))};
}

static int with_token_file(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err)
{
    char *path = sl_aws_expand_home(sl_aws_files_get(files, profile, "web_identity_token_file"));
    if (!path)
        return sl_err_set(err, SL_E_CONFIG, "web_identity_token_file begins with ~, and HOME is not set");
    sl_aws_role role = role_of(files, profile);
    int rc = sl_aws_web_identity_begin(ask, path, &role, err);
    sl_free(path);
    return rc;
}

/* The end of the way: a profile that takes on no role. One without credentials, maybe there for its region, leaves
 * it to the sources that follow, also when it was named: so do AWS's own tools. */
static int take_base(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err)
{
    if (sl_aws_files_get(files, profile, "aws_access_key_id").len) return take_keys(ask, files, profile, err);
    if (sl_aws_files_get(files, profile, "sso_account_id").len)
        return sl_aws_sso_begin(ask, files, profile, err);
    if (sl_aws_files_get(files, profile, "credential_process").len)
        return sl_err_set(err, SL_E_UNSUPPORTED,
                          "credential_process: sluice starts no other programs; use another source");
    return sl_err_set(err, SL_E_NOT_FOUND, "the profile has no credentials");
}

static bool takes_on_role(const sl_aws_files *files, sl_span profile)
{
    return sl_aws_files_get(files, profile, "role_arn").len > 0;
}

/* *profile: where to go on; empty: rc is the result. */
static int follow_role(sl_aws_ask *ask, const sl_aws_files *files, sl_span *profile, sl_err *err)
{
    sl_span from = *profile, source = sl_aws_files_get(files, from, "source_profile");
    *profile = SL_SPAN_NONE;
    if (sl_aws_files_get(files, from, "web_identity_token_file").len)
        return with_token_file(ask, files, from, err);
    if (sl_aws_files_get(files, from, "mfa_serial").len)
        return sl_err_set(err, SL_E_UNSUPPORTED, "mfa_serial: nobody is there to type a code");
    sl_aws_role role = role_of(files, from);
    int rc = sl_aws_ask_role(ask, &role, err);
    if (rc < 0) return rc;
    if (sl_span_is(source, from)) return take_keys(ask, files, from, err); /* its own keys are the base */
    if (!source.len) return from_source(ask, sl_aws_files_get(files, from, "credential_source"), err);
    if (!sl_aws_files_has_profile(files, source))
        return sl_err_set(err, SL_E_CONFIG, "source_profile \"" SL_SPAN_FMT "\" is not there",
                          SL_SPAN_ARG(source));
    *profile = source;
    return 0;
}

/* Found from the last role to the first. */
static void reverse_roles(sl_aws_ask *ask)
{
    for (size_t i = 0; i < ask->role_count / 2; i++) {
        sl_aws_role swap = ask->roles[i];
        ask->roles[i] = ask->roles[ask->role_count - 1 - i];
        ask->roles[ask->role_count - 1 - i] = swap;
    }
}

static int resolve(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err)
{
    int rc = 0;
    sl_span at = profile;
    while (rc == 0 && at.len && takes_on_role(files, at))
        rc = follow_role(ask, files, &at, err);
    if (rc == 0 && at.len) rc = take_base(ask, files, at, err);
    reverse_roles(ask);
    return rc;
}

static int begin(sl_aws_ask *ask, sl_err *err)
{
    bool named;
    sl_span profile = sl_aws_profile_name(ask->conf, &named);
    sl_aws_files files;
    int rc = sl_aws_files_read(&files, err);
    if (rc == 0 && !files.config_path && !files.credentials_path) {
        rc = sl_err_set(err, SL_E_NOT_FOUND, "HOME is not set");
    } else if (rc == 0 && !sl_aws_files_has_profile(&files, profile)) {
        rc = sl_err_set(err, named ? SL_E_CONFIG : SL_E_NOT_FOUND, "no \"" SL_SPAN_FMT "\" in %s or %s",
                        SL_SPAN_ARG(profile), files.credentials_path ? files.credentials_path : "-",
                        files.config_path ? files.config_path : "-");
    } else if (rc == 0) {
        rc = resolve(ask, &files, profile, err);
        if (rc < 0 && rc != SL_E_AGAIN) sl_err_prefix(err, "\"" SL_SPAN_FMT "\"", SL_SPAN_ARG(profile));
    }
    sl_aws_files_release(&files);
    return rc;
}

/* The steps after the first one are the delegate's: of a profile alone, all is in the files. */
const sl_aws_source sl_aws_source_profile = {.name = "profile", .step = begin};
