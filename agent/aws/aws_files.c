/* aws_files.c: where the shared files are, and whose properties they hold. */
#include "aws_files.h"
#include "aws_source.h"
#include <errno.h>
#include <sluice/fs.h>

char *sl_aws_expand_home(sl_span path)
{
    if (!sl_span_starts_with(path, SL_SPAN("~/"))) return sl_strndup(path.ptr, path.len);
    sl_span home = sl_aws_env("HOME");
    if (!home.len) return NULL;
    sl_buf text = SL_BUF_NONE;
    sl_buf_append_span(&text, home);
    sl_buf_append(&text, path.ptr + 1, path.len - 1);
    char *copy = sl_strndup(text.ptr, text.len);
    sl_buf_release(&text);
    return copy;
}

static int read_one(const char *variable, sl_span usual, char **path, sl_buf *text, sl_err *err)
{
    sl_span chosen = sl_aws_env(variable);
    *path = sl_aws_expand_home(chosen.len ? chosen : usual);
    if (!*path) return 0;
    int rc = sl_fs_read_file(*path, SL_AWS_MAX_FILE, text);
    return rc < 0 && rc != -ENOENT && rc != -ENOTDIR ? sl_err_sys(err, -rc, "cannot read %s", *path) : 0;
}

int sl_aws_files_read(sl_aws_files *files, sl_err *err)
{
    *files = (sl_aws_files){.config_path = NULL};
    int rc = read_one("AWS_SHARED_CREDENTIALS_FILE", SL_SPAN("~/.aws/credentials"), &files->credentials_path,
                      &files->credentials, err);
    if (rc == 0)
        rc = read_one("AWS_CONFIG_FILE", SL_SPAN("~/.aws/config"), &files->config_path, &files->config, err);
    return rc;
}

void sl_aws_files_release(sl_aws_files *files)
{
    sl_free(files->credentials_path);
    sl_free(files->config_path);
    sl_aws_wipe_buf(&files->credentials);
    sl_aws_wipe_buf(&files->config);
}

/* Where a profile's properties may stand, the strongest first. The config file's sections are called profile,
 * but for the default one, which may. */
typedef struct place {
    const sl_buf *file;
    sl_aws_section section;
} place;

static size_t places_of(const sl_aws_files *files, sl_span profile, place out[3])
{
    size_t count = 0;
    out[count++] = (place){&files->credentials, {"", profile}};
    out[count++] = (place){&files->config, {"profile", profile}};
    if (sl_span_is_cstr(profile, "default")) out[count++] = (place){&files->config, {"", profile}};
    return count;
}

bool sl_aws_files_has_profile(const sl_aws_files *files, sl_span profile)
{
    place places[3];
    bool has = false;
    for (size_t i = 0, count = places_of(files, profile, places); i < count; i++)
        has = has || sl_aws_ini_has(sl_buf_span(places[i].file), &places[i].section);
    return has;
}

sl_span sl_aws_files_get(const sl_aws_files *files, sl_span profile, const char *key)
{
    place places[3];
    sl_span value = SL_SPAN_NONE;
    for (size_t i = 0, count = places_of(files, profile, places); i < count && !value.len; i++)
        value = sl_aws_ini_get(sl_buf_span(places[i].file), &places[i].section, key);
    return value;
}

sl_span sl_aws_files_get_sso(const sl_aws_files *files, sl_span name, const char *key)
{
    return sl_aws_ini_get(sl_buf_span(&files->config), &(sl_aws_section){"sso-session", name}, key);
}

sl_span sl_aws_profile_name(const sl_aws_conf *conf, bool *named)
{
    sl_span name = conf->profile.len ? conf->profile : sl_aws_env("AWS_PROFILE");
    *named = name.len > 0;
    return *named ? name : SL_SPAN("default");
}
