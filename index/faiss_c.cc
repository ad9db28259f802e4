// faiss_c.cc - the few functions of FAISS's C API that we call, with its own prototypes.
// Debian 12 ships no code for them: where the linker finds -lfaiss_c this file is left out.
#include <faiss/Clustering.h>
#include <faiss/Index.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_factory.h>

#include <exception>
#include <string>

extern "C" {
#include <faiss/c_api/Clustering_c.h>
#include <faiss/c_api/Index_c.h>
#include <faiss/c_api/error_c.h>
#include <faiss/c_api/index_factory_c.h>
}

namespace {

thread_local std::string last_error;

// Run f; what it throws becomes the API's codes.
template <class F> int guarded(F f)
{
    try {
        f();
        return OK;
    } catch (const faiss::FaissException &x) {
        last_error = x.what();
        return FAISS_EXCEPT;
    } catch (const std::exception &x) {
        last_error = x.what();
        return STD_EXCEPT;
    } catch (...) {
        last_error = "unknown exception";
        return UNKNOWN_EXCEPT;
    }
}

faiss::Index *index_of(FaissIndex *p) { return reinterpret_cast<faiss::Index *>(p); }
const faiss::Index *index_of(const FaissIndex *p)
{
    return reinterpret_cast<const faiss::Index *>(p);
}
faiss::Clustering *clustering_of(FaissClustering *p)
{
    return reinterpret_cast<faiss::Clustering *>(p);
}

} // namespace

extern "C" {

const char *faiss_get_last_error() { return last_error.c_str(); }

int faiss_index_factory(FaissIndex **out, int d, const char *description, FaissMetricType metric)
{
    return guarded([&] {
        *out = reinterpret_cast<FaissIndex *>(
            faiss::index_factory(d, description, static_cast<faiss::MetricType>(metric)));
    });
}

void faiss_Index_free(FaissIndex *p) { delete index_of(p); }

int faiss_Index_search(const FaissIndex *p, idx_t n, const float *x, idx_t k, float *distances,
                       idx_t *labels)
{
    return guarded([&] { index_of(p)->search(n, x, k, distances, labels); });
}

int faiss_Index_reconstruct_n(const FaissIndex *p, idx_t first, idx_t n, float *out)
{
    return guarded([&] { index_of(p)->reconstruct_n(first, n, out); });
}

void faiss_ClusteringParameters_init(FaissClusteringParameters *p)
{
    const faiss::ClusteringParameters d;
    p->niter = d.niter;
    p->nredo = d.nredo;
    p->verbose = d.verbose;
    p->spherical = d.spherical;
    p->int_centroids = d.int_centroids;
    p->update_index = d.update_index;
    p->frozen_centroids = d.frozen_centroids;
    p->min_points_per_centroid = d.min_points_per_centroid;
    p->max_points_per_centroid = d.max_points_per_centroid;
    p->seed = d.seed;
    p->decode_block_size = d.decode_block_size;
}

int faiss_Clustering_new_with_params(FaissClustering **out, int d, int k,
                                     const FaissClusteringParameters *p)
{
    return guarded([&] {
        faiss::ClusteringParameters q;
        q.niter = p->niter;
        q.nredo = p->nredo;
        q.verbose = p->verbose != 0;
        q.spherical = p->spherical != 0;
        q.int_centroids = p->int_centroids != 0;
        q.update_index = p->update_index != 0;
        q.frozen_centroids = p->frozen_centroids != 0;
        q.min_points_per_centroid = p->min_points_per_centroid;
        q.max_points_per_centroid = p->max_points_per_centroid;
        q.seed = p->seed;
        q.decode_block_size = p->decode_block_size;
        *out = reinterpret_cast<FaissClustering *>(new faiss::Clustering(d, k, q));
    });
}

int faiss_Clustering_train(FaissClustering *p, idx_t n, const float *x, FaissIndex *index)
{
    return guarded([&] { clustering_of(p)->train(n, x, *index_of(index)); });
}

void faiss_Clustering_free(FaissClustering *p) { delete clustering_of(p); }

} // extern "C"
