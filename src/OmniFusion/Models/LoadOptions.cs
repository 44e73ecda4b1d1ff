using OmniFusion.Tensors;

namespace OmniFusion.Models;

/// <summary>How to load a model. What describes the model is only needed where no bundle does.</summary>
public sealed record LoadOptions
{
    /// <summary>Threads to compute on; null: all cores.</summary>
    public int? Threads { get; init; }

    /// <summary>How matrices with a merged adapter are stored; null: exact (F32) for small models, BF16 for large ones.</summary>
    public DType? MergedType { get; init; }

    /// <summary>The fusion layer (<see cref="Fusion.FusionLayer.Modes"/>); null: the bundle's, or gated.</summary>
    public string? FusionMode { get; init; }

    /// <summary>Numbers of the hidden states that are fused; null: the bundle's, or first, middle and last.</summary>
    public IReadOnlyList<int>? FusionLayers { get; init; }

    /// <summary>Whether a gloss stands behind the fused states (<see cref="PrefixGloss"/>); null: the bundle's, or not.</summary>
    public bool? Gloss { get; init; }

    /// <summary>Linear layers of the projection; null: the bundle's, or 2.</summary>
    public int? ProjectionDepth { get; init; }

    /// <summary>The texts around the inputs: published or compact; null: the bundle's, or published.</summary>
    public string? Prompt { get; init; }
}
