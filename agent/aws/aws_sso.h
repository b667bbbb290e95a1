/* aws_sso.h: credentials of IAM Identity Center, for a person who logged in with `aws sso login`.
 *
 * Source: "IAM Identity Center credential provider", AWS SDKs and Tools Reference Guide
 * (feature-sso-credentials.html); GetRoleCredentials, IAM Identity Center Portal API Reference.
 */
#ifndef SLUICE_AWS_SSO_H
#define SLUICE_AWS_SSO_H

#include "aws_files.h"
#include "aws_source.h"

/* Reads the profile's sso_… properties and the token that the login left in ~/.aws/sso/cache. SL_E_AGAIN with the
 * request for the role's credentials; the delegate goes on. */
int sl_aws_sso_begin(sl_aws_ask *ask, const sl_aws_files *files, sl_span profile, sl_err *err);

#endif
