/* coarse.c - FAISS through its C API: centroids of lists, and which of them are near a vector. */
#include "index/ann.h"

#include <faiss/c_api/Clustering_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>

#include <omp.h>
#include <stdlib.h>

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
    /* A graph over 4,096 centroids (HNSW32) made choosing lists cheaper for FAISS alone: our own
     * scan of all of them takes 0.2 ms at D 768, and finds the nearest ones for certain. */
    const char *kind = "Flat";
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

int ks_coarse_centroids(float *centroids, const void *coarse, int64_t lists, ks_error *e)
{
    return faiss_Index_reconstruct_n(coarse, 0, lists, centroids) ? failed(e, "centroids") : 0;
}

int ks_coarse_nearest(int64_t *lists, const void *coarse, const float *x, int64_t n, ks_error *e)
{
    float *distances = malloc((size_t)n * sizeof *distances);
    if (!distances) return ks_fail(e, KS_ENOMEM, "no memory for the nearest lists");
    int bad = faiss_Index_search(coarse, n, x, 1, distances, lists);
    free(distances);
    return bad ? failed(e, "search") : 0;
}

void ks_coarse_free(void *coarse)
{
    if (coarse) faiss_Index_free(coarse);
}
