#include "http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SERIAL_SIZE 16
#define PEM_SIZE    8192

struct key_pair {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
};

/* Keeps the first failure. */
struct attempt {
    int status;
};
#define TRY(a, call)                                                                                         \
    do {                                                                                                     \
        if ((a)->status >= 0)                                                                                \
            (a)->status = (call);                                                                            \
    } while (0)

static void name_host(struct attempt *a, gnutls_x509_crt_t crt, const char *host) {
    unsigned char address[16];
    size_t n = inet_pton(AF_INET, host, address) == 1 ? 4 : inet_pton(AF_INET6, host, address) == 1 ? 16 : 0;
    if (n)
        TRY(a, gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, (unsigned)n,
                                                    GNUTLS_FSAN_APPEND));
    else
        TRY(a, gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host),
                                                    GNUTLS_FSAN_APPEND));
}

/* A fresh key with an unsigned certificate for it. */
static void begin_certificate(struct attempt *a, struct key_pair *pair, const char *common_name) {
    unsigned char serial[SERIAL_SIZE] = {0};
    time_t now = time(NULL);
    TRY(a, gnutls_x509_privkey_init(&pair->key));
    TRY(a, gnutls_x509_crt_init(&pair->crt));
    TRY(a, gnutls_x509_privkey_generate(pair->key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    TRY(a, gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] = (serial[0] & 0x7F) | 1; /* positive */
    TRY(a, gnutls_x509_crt_set_version(pair->crt, 3));
    TRY(a, gnutls_x509_crt_set_serial(pair->crt, serial, sizeof serial));
    TRY(a, gnutls_x509_crt_set_activation_time(pair->crt, now - 3600));
    TRY(a, gnutls_x509_crt_set_expiration_time(pair->crt, now + CERTIFICATE_DAYS * 86400));
    TRY(a, gnutls_x509_crt_set_dn_by_oid(pair->crt, GNUTLS_OID_X520_COMMON_NAME, 0, common_name,
                                         (unsigned)strlen(common_name)));
    TRY(a, gnutls_x509_crt_set_key(pair->crt, pair->key));
}

static void set_key_id(struct attempt *a, gnutls_x509_crt_t crt) {
    unsigned char id[64];
    size_t n = sizeof id;
    TRY(a, gnutls_x509_crt_get_key_id(crt, 0, id, &n));
    TRY(a, gnutls_x509_crt_set_subject_key_id(crt, id, n));
}

static void make_authority(struct attempt *a, struct key_pair *ca) {
    begin_certificate(a, ca, "statwit's own authority");
    TRY(a, gnutls_x509_crt_set_basic_constraints(ca->crt, 1, 0));
    TRY(a, gnutls_x509_crt_set_key_usage(ca->crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
    set_key_id(a, ca->crt);
    TRY(a, gnutls_x509_crt_sign2(ca->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
}

static void make_server(struct attempt *a, const struct key_pair *ca, size_t n_hosts,
                        const char *const *hosts, struct key_pair *server) {
    begin_certificate(a, server, "statwit");
    name_host(a, server->crt, "localhost");
    name_host(a, server->crt, "127.0.0.1");
    name_host(a, server->crt, "::1");
    for (size_t i = 0; i < n_hosts; i++)
        name_host(a, server->crt, hosts[i]);
    TRY(a, gnutls_x509_crt_set_basic_constraints(server->crt, 0, -1));
    TRY(a, gnutls_x509_crt_set_key_usage(server->crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
    TRY(a, gnutls_x509_crt_set_key_purpose_oid(server->crt, GNUTLS_KP_TLS_WWW_SERVER, 0));
    set_key_id(a, server->crt);
    TRY(a, gnutls_x509_crt_sign2(server->crt, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
}

static char *crt_pem(struct attempt *a, gnutls_x509_crt_t crt) {
    char *text = calloc(1, PEM_SIZE);
    size_t n = PEM_SIZE - 1;
    TRY(a, text ? gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, text, &n) : GNUTLS_E_MEMORY_ERROR);
    return text;
}

static char *key_pem(struct attempt *a, gnutls_x509_privkey_t key) {
    char *text = calloc(1, PEM_SIZE);
    size_t n = PEM_SIZE - 1;
    TRY(a, text ? gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, text, &n) : GNUTLS_E_MEMORY_ERROR);
    return text;
}

static int write_file(const char *path, const char *text, struct err *err) {
    FILE *file = fopen(path, "we");
    if (!file)
        return err_set(err, errno, "cannot write %s", path);
    int failed = fputs(text, file) < 0;
    failed = fclose(file) != 0 || failed;
    return failed ? err_set(err, errno, "cannot write %s", path) : 0;
}

static void pair_free(struct key_pair *pair) {
    if (pair->crt)
        gnutls_x509_crt_deinit(pair->crt);
    if (pair->key)
        gnutls_x509_privkey_deinit(pair->key);
}

int certificate_make(size_t n_hosts, const char *const *hosts, const char *ca_path, char **cert, char **key,
                     struct err *err) {
    struct attempt a = {0};
    struct key_pair ca = {0}, server = {0};
    make_authority(&a, &ca);
    make_server(&a, &ca, n_hosts, hosts, &server);
    char *ca_text = crt_pem(&a, ca.crt);
    *cert = crt_pem(&a, server.crt);
    *key = key_pem(&a, server.key);
    pair_free(&ca);
    pair_free(&server);
    int failed = a.status < 0 ? err_set(err, 0, "cannot make a certificate: %s", gnutls_strerror(a.status))
                              : write_file(ca_path, ca_text, err);
    free(ca_text);
    if (failed) {
        free(*cert);
        free(*key);
        *cert = *key = NULL;
    }
    return failed;
}
