"""Rows of estimators, distributions, graphs and expressions."""

from __future__ import annotations

from . import Row, library


@library("scikit-learn", "sklearn")
def sklearn():
    import numpy as np
    from sklearn import (
        cluster,
        datasets,
        ensemble,
        gaussian_process,
        linear_model,
        neighbors,
        neural_network,
        pipeline,
        preprocessing,
        svm,
    )
    from sklearn.gaussian_process import kernels

    points, labels = np.arange(20.0).reshape(10, 2), np.arange(10) % 2

    def pipe(alpha):
        return pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.Ridge(alpha))

    yield Row(
        "an estimator",
        lambda: linear_model.Ridge(1.0),
        (lambda: linear_model.Ridge(2.0), lambda: linear_model.Lasso(1.0)),
        lambda it: it.get_params(),
    )
    yield Row(
        "a fitted estimator",
        lambda: linear_model.LogisticRegression().fit(points, labels),
        (lambda: linear_model.LogisticRegression().fit(points, 1 - labels),),
        lambda it: it.predict(points),
    )
    yield Row("a pipeline", lambda: pipe(1.0), (lambda: pipe(2.0),), repr)
    yield Row(
        "a forest",
        lambda: ensemble.RandomForestClassifier(3, random_state=0).fit(points, labels),
        (lambda: ensemble.RandomForestClassifier(3, random_state=1).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "boosted trees",
        lambda: ensemble.HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(points, labels),
        (lambda: ensemble.HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "neighbours",
        lambda: neighbors.KNeighborsClassifier(2).fit(points, labels),
        (lambda: neighbors.KNeighborsClassifier(3).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "clusters",
        lambda: cluster.KMeans(2, random_state=0, n_init=1).fit(points),
        (lambda: cluster.KMeans(3, random_state=0, n_init=1).fit(points),),
        lambda it: it.predict(points),
    )
    yield Row(
        "a support vector machine",
        lambda: svm.SVC().fit(points, labels),
        (lambda: svm.SVC(C=2).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "kernels",
        lambda: kernels.RBF(1.0) + kernels.WhiteKernel(),
        (lambda: kernels.RBF(2.0) + kernels.WhiteKernel(),),
        lambda it: it.theta,
    )
    yield Row(
        "FunctionTransformer",
        lambda: preprocessing.FunctionTransformer(np.log1p),
        (lambda: preprocessing.FunctionTransformer(np.log),),
    )
    yield Row(
        "gradient boosting",
        lambda: ensemble.GradientBoostingClassifier(n_estimators=2, random_state=0).fit(points, labels),
        (lambda: ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "a neural network",
        lambda: neural_network.MLPClassifier((2,), max_iter=2, random_state=0).fit(points, labels),
        (lambda: neural_network.MLPClassifier((2,), max_iter=3, random_state=0).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row(
        "a Gaussian process",
        lambda: gaussian_process.GaussianProcessRegressor(random_state=0).fit(points, labels),
        (lambda: gaussian_process.GaussianProcessRegressor(alpha=0.1, random_state=0).fit(points, labels),),
        lambda it: it.predict(points),
    )
    yield Row("Bunch", datasets.load_iris, (datasets.load_wine,), lambda it: it.data)
    yield Row(
        "an estimator with a RandomState",
        lambda: linear_model.Ridge(random_state=np.random.RandomState(1)),
        refused="pass its seed",
    )


@library("SciPy", "scipy")
def scipy():
    import numpy as np
    from scipy import interpolate, sparse, spatial, stats

    def look(matrix):
        return getattr(matrix, "has_canonical_format", 0), getattr(matrix, "has_sorted_indices", 0), matrix @ np.ones(3)

    for name in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
        make = getattr(sparse, f"{name}_array")
        yield Row(
            f"{name}_array",
            lambda make=make: make(np.eye(3)),
            (lambda make=make: make(2 * np.eye(3)), lambda make=make: make(np.eye(3)[:, :2])),
            look,
        )
    yield Row(
        "csr_matrix",
        lambda: sparse.csr_matrix(np.eye(3)),
        (lambda: sparse.csr_array(np.eye(3)), lambda: sparse.csc_matrix(np.eye(3))),
        look,
    )
    yield Row(
        "frozen distributions",
        lambda: stats.norm(1, 2),
        (lambda: stats.norm(1, 3), lambda: stats.cauchy(1, 2)),
        lambda it: it.rvs(3),
    )
    yield Row(
        "discrete ones", lambda: stats.poisson(3), (lambda: stats.poisson(4),), lambda it: (it.rvs(2), it.entropy())
    )
    yield Row(
        "multivariate ones",
        lambda: stats.multivariate_normal([0, 0]),
        (lambda: stats.multivariate_normal([0, 1]),),
        lambda it: it.rvs(2),
    )
    yield Row(
        "rv_histogram",
        lambda: stats.rv_histogram(np.histogram([1, 2, 3.0], 4)),
        (lambda: stats.rv_histogram(np.histogram([1, 2, 2.0], 4)),),
        lambda it: it.mean(),
    )
    yield Row(
        "new distributions",
        lambda: stats.Uniform(a=1.0, b=2.0),
        (lambda: stats.Uniform(a=1.0, b=3.0), lambda: stats.Uniform(a=1.0, b=2.0, tol=0.1)),
        lambda it: (it.mean(), it.entropy(), it.sample(2)),
    )
    yield Row(
        "the result of a test",
        lambda: stats.ttest_ind([1, 2, 3], [2, 3, 5]),
        (lambda: stats.ttest_ind([1, 2, 3], [2, 3, 6]),),
        lambda it: it.confidence_interval(),
    )
    yield Row(
        "gaussian_kde",
        lambda: stats.gaussian_kde(np.arange(5.0)),
        (lambda: stats.gaussian_kde(np.arange(6.0)),),
        lambda it: it(1),
    )
    yield Row(
        "splines",
        lambda: interpolate.CubicSpline(range(5), range(5)),
        (lambda: interpolate.CubicSpline(range(5), [0, 1, 2, 3, 5]),),
        lambda it: it(1),
    )
    yield Row(
        "rotations",
        lambda: spatial.transform.Rotation.from_euler("z", 1),
        (lambda: spatial.transform.Rotation.from_euler("z", 2),),
        lambda it: it.as_matrix(),
    )
    yield Row(
        "cKDTree",
        lambda: spatial.cKDTree(np.eye(2)),
        (lambda: spatial.cKDTree(2 * np.eye(2)),),
        lambda it: it.query([0, 0]),
    )


@library("statsmodels")
def statsmodels():
    import numpy as np
    import statsmodels.api as sm

    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) ** 2.0

    yield Row("a model", lambda: sm.OLS(y, x), (lambda: sm.OLS(y + 1, x),))
    yield Row(
        "a result", lambda: sm.OLS(y, x).fit(), (lambda: sm.OLS(2 * y, x).fit(),), lambda it: (it.params, it.summary())
    )
    yield Row(
        "a generalised one",
        lambda: sm.GLM(y, x).fit(),
        (lambda: sm.GLM(2 * y, x).fit(),),
        lambda it: it.summary(),
    )


@library("networkx")
def networkx():
    import networkx as nx

    def look(it):
        return it.nodes, it.edges, it.adj, it.degree, nx.to_numpy_array(it)

    yield Row(
        "Graph",
        lambda: nx.path_graph(4),
        (lambda: nx.path_graph(5), lambda: nx.cycle_graph(4), lambda: nx.DiGraph(nx.path_graph(4))),
        look,
    )
    yield Row("the order of nodes", lambda: nx.Graph([(1, 2)]), (lambda: nx.Graph([(2, 1)]),), look)
    yield Row(
        "DiGraph",
        lambda: nx.DiGraph([(1, 2)]),
        (lambda: nx.DiGraph([(2, 1)]), lambda: nx.DiGraph([(1, 2)], name="x")),
        look,
    )
    yield Row("MultiGraph", lambda: nx.MultiGraph([(1, 2), (1, 2)]), (lambda: nx.MultiGraph([(1, 2)]),), look)


@library("sympy")
def sympy():
    import sympy as module

    def symbol(**assumptions):
        return module.Symbol("x", **assumptions)

    x = symbol()
    yield Row(
        "expressions",
        lambda: module.sin(symbol()) ** 2 + 1,
        (lambda: module.cos(symbol()) ** 2 + 1, lambda: module.sin(module.Symbol("y")) ** 2 + 1),
        lambda it: (hash(it), it.is_real, it.diff()),
    )
    yield Row(
        "assumptions",
        lambda: symbol(positive=True),
        (symbol, lambda: symbol(real=True)),
        lambda it: (hash(it), it.is_positive, it.is_prime),
    )
    yield Row(
        "numbers", lambda: module.Rational(1, 3), (lambda: module.Rational(2, 3), lambda: module.Float("0.3")), hash
    )
    yield Row(
        "matrices",
        lambda: module.Matrix([[1, x]]),
        (lambda: module.Matrix([[2, x]]), lambda: module.ImmutableMatrix([[1, x]])),
        lambda it: it.T,
    )
    yield Row(
        "functions",
        lambda: module.Function("f")(x),
        (lambda: module.Function("g")(x), lambda: module.Function("f")(x + 1)),
        hash,
    )
    yield Row("polynomials", lambda: module.Poly(x**2 + 1, x), (lambda: module.Poly(x**2 + 2, x),), hash)
    yield Row("Dummy", lambda: module.Dummy("d"), refused="use a Symbol")


@library("uncertainties")
def uncertainties():
    from uncertainties import ufloat

    yield Row("ufloat", lambda: ufloat(1, 0.1), refused="pass nominal value and standard deviation")


@library("joblib")
def joblib():
    import joblib as module

    yield Row("delayed calls", lambda: module.delayed(len)([1]), (lambda: module.delayed(len)([2]),))
