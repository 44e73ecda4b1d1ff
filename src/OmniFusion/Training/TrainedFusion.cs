using OmniFusion.Checkpoints;
using OmniFusion.Models;
using OmniFusion.Models.Fusion;
using OmniFusion.Tensors;

namespace OmniFusion.Training;

/// <summary>The fusion layer and the projection of a recipe, which learn: from nothing, or from those of an adapter.</summary>
internal sealed class TrainedFusion
{
    /// <summary>What the names of an adapter of the whole system start with.</summary>
    internal const string Prefix = "base_model.model.model.";

    private readonly Weights _weights;

    /// <summary>Makes or loads them.</summary>
    /// <param name="recipe">Says which fusion it is.</param>
    /// <param name="start">Folder of the adapter, or null.</param>
    /// <param name="thinkerSize">Length of the thinker's hidden states.</param>
    /// <param name="translatorSize">Length of the translator's.</param>
    /// <exception cref="OmniFusionException">The adapter is missing or damaged, or of another fusion.</exception>
    internal TrainedFusion(Recipe recipe, string? start, int thinkerSize, int translatorSize)
    {
        Checkpoint? adapter = start is null ? null : PeftAdapter.Load(start).Fusion;
        _weights = adapter is null
            ? Weights.FromScratch(new WeightInitializer(recipe.Seed, recipe.Model.InitStd))
            : new Weights(adapter, trainable: true);
        Layer = FusionLayer.Create(recipe.FusionMode, thinkerSize, _weights.Under("omni_fusion"), recipe.FusionLayers);
        Projection = new Projection(thinkerSize, translatorSize, recipe.ProjectionDepth, _weights.Under("omni_projection"));
        if (adapter?.UnusedKeys() is [var left, ..])
            throw new OmniFusionException(
                $"The adapter in {start} has '{left}', which this recipe's 'fusion_mode' and 'projection_depth' have no place for.");
    }

    /// <summary>Makes one state per token.</summary>
    internal FusionLayer Layer { get; }

    /// <summary>Brings it into the translator's space.</summary>
    internal Projection Projection { get; }

    /// <summary>What learns, by name.</summary>
    internal IReadOnlyDictionary<string, Tensor> Parameters => _weights.Taken;

    /// <summary>Writes an adapter, with low-rank updates of the translator where there are any.</summary>
    internal void Save(string folder, PeftAdapter? lowRank = null)
    {
        PeftConfig config = lowRank?.Config ?? new PeftConfig { ModulesToSave = ["omni_fusion", "omni_projection"] };
        PeftAdapter.Of(config, NanoModels.Named(_weights).Select(item => (Prefix + item.Name, item.Tensor))
            .Concat((lowRank?.Tensors ?? new Dictionary<string, Tensor>()).Select(item => (item.Key, item.Value))))
            .Save(folder, DType.BF16);
    }
}
