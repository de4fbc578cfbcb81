#include "http/certificate.h"

#include "unit.h"

#include <gnutls/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

static gnutls_datum_t datum(const char *text) {
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

static void test_is_trusted_for_its_hosts(void) {
    static const char *const hosts[] = {"api.datadoghq.com", "10.0.0.1"};
    char directory[] = "/tmp/statwit-test-XXXXXX", path[64], text[8192], *cert, *key;
    struct err err = {0};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/ca.pem", directory);
    EQ_INT(certificate_make(2, hosts, path, &cert, &key, &err), 0);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    CU_ASSERT_PTR_NULL(strstr(text, "PRIVATE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(key, "PRIVATE KEY"));

    gnutls_x509_crt_t ca, server;
    gnutls_datum_t ca_pem = datum(text), server_pem = datum(cert);
    gnutls_x509_crt_init(&ca);
    gnutls_x509_crt_init(&server);
    EQ_INT(gnutls_x509_crt_import(ca, &ca_pem, GNUTLS_X509_FMT_PEM), 0);
    EQ_INT(gnutls_x509_crt_import(server, &server_pem, GNUTLS_X509_FMT_PEM), 0);
    unsigned status = 1;
    EQ_INT(gnutls_x509_crt_verify(server, &ca, 1, 0, &status), 0);
    EQ_INT(status, 0);
    CU_ASSERT(gnutls_x509_crt_check_hostname(server, "api.datadoghq.com") != 0);
    CU_ASSERT(gnutls_x509_crt_check_hostname(server, "10.0.0.1") != 0);
    CU_ASSERT(gnutls_x509_crt_check_hostname(server, "localhost") != 0);
    CU_ASSERT(!gnutls_x509_crt_check_hostname(server, "example.com"));
    gnutls_x509_crt_deinit(ca);
    gnutls_x509_crt_deinit(server);
    free(cert);
    free(key);
    unlink(path);
    rmdir(directory);
}

static void test_a_folder_that_is_not_there(void) {
    struct err err = {0};
    char *cert, *key;
    EQ_INT(certificate_make(0, NULL, "/nonexistent/ca.pem", &cert, &key, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "/nonexistent/ca.pem"));
    CU_ASSERT_PTR_NULL(cert);
}

UNIT_MAIN("http/certificate", {"is trusted for its hosts", test_is_trusted_for_its_hosts},
          {"a folder that is not there", test_a_folder_that_is_not_there})
