namespace OmniFusion.Training;

/// <summary>
/// Parts of a model whose gradients are told apart: omni_fusion, omni_projection and translator of a fusion; audio_tower, visual, model and
/// ctc_head of a recogniser; model of a translator.
/// </summary>
internal static class ParameterGroups
{
    /// <summary>The group of a parameter, by its name.</summary>
    internal static string Of(string name)
    {
        string[] parts = name.Split('.', 3);
        return parts[0] switch
        {
            // Low-rank updates of the translator have the names of an adapter.
            "base_model" => "translator",
            "thinker" => parts[1],
            string first => first,
        };
    }
}
