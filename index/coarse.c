/* coarse.c - FAISS through its C API: centroids of lists, and which of them are near a vector. */
#include "index/ann.h"

#include <faiss/c_api/Clustering_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
#include <faiss/c_api/index_io_c.h>

#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* of the library that FAISS multiplies with; kinoseek loads it with one thread */
void openblas_set_num_threads(int n);
int openblas_get_num_threads(void);

static int failed(ks_error *e, const char *what)
{
    return ks_fail(e, KS_EFORMAT, "FAISS: %s: %.200s", what, faiss_get_last_error());
}

int ks_coarse_train(void **coarse, const float *x, int64_t n, int dim, int lists, ks_error *e)
{
    FaissIndex *index = NULL;
    FaissClustering *clustering = NULL;
    FaissClusteringParameters p;
    int code = 0;
    *coarse = NULL;
    faiss_ClusteringParameters_init(&p);
    p.niter = 10;
    p.spherical = 1; /* vectors are unit, the metric is the inner product */
    p.min_points_per_centroid = 1;
    p.max_points_per_centroid = 1 << 20;
    p.seed = 1234;
    /* A graph over the centroids pays from a few thousand of them (choosing lists is then what
     * costs). */
    const char *kind = lists > 2048 ? "HNSW32,Flat" : "Flat";
    if (faiss_index_factory(&index, dim, kind, METRIC_INNER_PRODUCT) != 0) code = failed(e, kind);
    else if (faiss_Clustering_new_with_params(&clustering, dim, lists, &p) != 0)
        code = failed(e, "clustering");
    else {
        int before = openblas_get_num_threads();
        openblas_set_num_threads(omp_get_max_threads());
        if (faiss_Clustering_train(clustering, n, x, index) != 0) code = failed(e, "training");
        openblas_set_num_threads(before);
    }
    faiss_Clustering_free(clustering);
    if (code < 0) faiss_Index_free(index);
    else *coarse = index;
    return code;
}

int ks_coarse_near(int64_t *lists, const void *coarse, const float *x, int64_t n, int64_t k,
                   ks_error *e)
{
    float *distances = malloc((size_t)(n * k) * sizeof *distances);
    if (!distances) return ks_fail(e, KS_ENOMEM, "no memory for the nearest lists");
    /* One query gives OpenMP nothing to share, and its barrier costs a time slice where the
     * machine is busy. */
    int threads = omp_get_max_threads();
    if (n == 1) omp_set_num_threads(1);
    int bad = faiss_Index_search(coarse, n, x, k, distances, lists);
    if (n == 1) omp_set_num_threads(threads);
    free(distances);
    return bad ? failed(e, "search") : 0;
}

int ks_coarse_write(char **bytes, size_t *size, const void *coarse, ks_error *e)
{
    *bytes = NULL;
    FILE *f = open_memstream(bytes, size);
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the lists");
    int bad = faiss_write_index(coarse, f), lost = fflush(f) != 0 || ferror(f);
    if (fclose(f) != 0) lost = 1;
    if (!bad && !lost) return 0;
    free(*bytes);
    *bytes = NULL;
    return bad ? failed(e, "write") : ks_fail(e, KS_ENOMEM, "no memory for the lists");
}

int ks_coarse_read(void **coarse, const void *bytes, size_t size, int dim, int64_t lists,
                   ks_error *e)
{
    FaissIndex *index = NULL;
    union {
        const void *in;
        void *out;
    } view = {bytes}; /* fmemopen in mode r does not write */
    *coarse = NULL;
    if (!ks_coarse_good(bytes, size, dim, lists))
        return ks_fail(e, KS_EFORMAT, "the lists are not what this FAISS writes");
    FILE *f = fmemopen(view.out, size, "r");
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the lists");
    int bad = faiss_read_index(f, 0, &index);
    fclose(f);
    if (bad) return failed(e, "read");
    if (faiss_Index_d(index) != dim || faiss_Index_ntotal(index) != lists) {
        faiss_Index_free(index);
        return ks_fail(e, KS_EFORMAT, "the lists are of another shape");
    }
    *coarse = index;
    return 0;
}

void ks_coarse_free(void *coarse)
{
    if (coarse) faiss_Index_free(coarse);
}
