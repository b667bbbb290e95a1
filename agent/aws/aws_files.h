/* aws_files.h: AWS's shared files of credentials and configuration, read anew for each search: tools rewrite them.
 *
 * Source: "Location of the shared files", AWS SDKs and Tools Reference Guide (file-location.html).
 */
#ifndef SLUICE_AWS_FILES_H
#define SLUICE_AWS_FILES_H

#include "aws_ini.h"
#include <sluice/aws.h>

#define SL_AWS_MAX_FILE (1u << 20)

typedef struct sl_aws_files {
    char *credentials_path, *config_path; /* NULL: no home folder is known */
    sl_buf credentials, config;           /* wiped; empty: no such file */
} sl_aws_files;

/* A file that is not there is an empty one. An error: one is there and cannot be read. Release in any case. */
int sl_aws_files_read(sl_aws_files *files, sl_err *err);
void sl_aws_files_release(sl_aws_files *files);
bool sl_aws_files_has_profile(const sl_aws_files *files, sl_span profile);
/* A property of a profile: of the credentials file, else of the config file; empty: none. */
sl_span sl_aws_files_get(const sl_aws_files *files, sl_span profile, const char *key);
/* A property of an "sso-session" section. */
sl_span sl_aws_files_get_sso(const sl_aws_files *files, sl_span name, const char *key);
/* Of the options, else AWS_PROFILE, else "default". *named: somebody asked for it. */
sl_span sl_aws_profile_name(const sl_aws_conf *conf, bool *named);
/* ~/ at the beginning is $HOME. To be freed; NULL: it begins so, and HOME is not set. */
char *sl_aws_expand_home(sl_span path);

#endif
