using System.Globalization;
using System.Numerics.Tensors;
using OmniFusion.Tensors;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Checkpoints;

/// <summary>
/// The mean of checkpoints of one layout. Trainings that went on from the same weights often lie in one basin, and their mean is then as good as
/// either at what both can do and keeps some of what only one has learnt (Wortsman et al. 2022, arXiv 2203.05482).
/// </summary>
public static class CheckpointAverage
{
    private const string Weights = ".safetensors", Vocabulary = "tokenizer.json";

    // A sum of shares that were rounded, such as 0.333 three times.
    private const float Tolerance = 1e-3f;

    /// <summary>
    /// Averages every <c>.safetensors</c> file of the first folder with those of the same name in the others, and copies what else the first
    /// holds; folders within are left out. A file is held in memory as F32; it is stored as BF16 where all its tensors are, otherwise as F32.
    /// </summary>
    /// <param name="folders">At least two, of a thinker, a translator or an adapter.</param>
    /// <param name="shares">The share of each, which sum to 1; null: equal ones.</param>
    /// <param name="output">Another folder.</param>
    /// <exception cref="OmniFusionException">
    /// A folder cannot be read, lacks something that the first has or has other tokens, the shares do not sum to 1, or the mean cannot be written.
    /// </exception>
    public static void Write(IReadOnlyList<string> folders, IReadOnlyList<float>? shares, string output)
    {
        ArgumentNullException.ThrowIfNull(folders);
        ArgumentNullException.ThrowIfNull(output);
        if (folders.Count < 2)
            throw new OmniFusionException("A mean needs at least two checkpoints.");
        if (shares is not null && (shares.Count != folders.Count || !shares.All(float.IsFinite)))
            throw new OmniFusionException($"The mean of {folders.Count} checkpoints needs {folders.Count} shares, which are numbers.");
        if (shares is not null && Math.Abs(shares.Sum() - 1) > Tolerance)
            throw new OmniFusionException(string.Create(CultureInfo.InvariantCulture, $"The shares of a mean sum to 1, not {shares.Sum():0.###}."));
        if (folders.Any(folder => Path.GetFullPath(folder) == Path.GetFullPath(output)))
            throw new OmniFusionException($"The mean cannot be written to {output}, which is one of its parts.");
        shares ??= [.. folders.Select(_ => 1f / folders.Count)];
        string[] names = WeightsIn(folders[0]);
        if (names.Length == 0)
            throw new OmniFusionException($"{folders[0]} holds no {Weights} file.");
        // All is opened and compared before anything is written.
        SafeTensorsFile[][] parts = [.. names.Select(name => folders.Select(folder => SafeTensorsFile.Open(Path.Combine(folder, name))).ToArray())];
        foreach (SafeTensorsFile[] same in parts)
            foreach (SafeTensorsFile other in same.AsSpan(1))
                Compare(same[0], other);
        // The same sizes are no sign of the same tokens.
        if (folders.FirstOrDefault(folder => !ModelFolder.Agree(folders[0], folder, Vocabulary)) is { } foreign)
            throw new OmniFusionException($"{foreign} has another {Vocabulary} than {folders[0]}, so there is no mean.");
        AtomicFile.MakeFolder(output);
        foreach ((string name, SafeTensorsFile[] same) in names.Zip(parts))
        {
            SafeTensorsWriter.Write(Path.Combine(output, name), same[0].Entries.Select(entry => (entry.Name, Mean(same, entry.Name, shares))),
                same[0].Metadata, same[0].Entries.All(entry => entry.Type == "BF16") ? DType.BF16 : DType.F32);
        }
        ModelFolder.Copy(folders[0], output, name => !IsWeights(name));
    }

    private static bool IsWeights(string name) => name.EndsWith(Weights, StringComparison.Ordinal);

    private static Tensor Mean(SafeTensorsFile[] files, string name, IReadOnlyList<float> shares)
    {
        Tensor mean = Tensor.Zeros(files[0].Tensor(name).Shape);
        for (int i = 0; i < files.Length; i++)
            TensorPrimitives.MultiplyAdd(files[i].Tensor(name).ToF32().Span, shares[i], mean.Span, mean.Span);
        return mean;
    }

    private static void Compare(SafeTensorsFile first, SafeTensorsFile other)
    {
        foreach (SafeTensorsEntry entry in first.Entries)
            if (other.Entry(entry.Name) is not { } same || !same.Sizes.SequenceEqual(entry.Sizes))
                throw new OmniFusionException($"{other.Path} has no '{entry.Name}' of shape {entry.Shape}, so there is no mean with {first.Path}.");
        if (other.Entries.Count != first.Entries.Count)
            throw new OmniFusionException($"{other.Path} has more tensors than {first.Path}, so there is no mean.");
    }

    private static string[] WeightsIn(string folder)
    {
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFiles().Select(file => file.Name).Where(IsWeights).Order(StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{folder} cannot be read: {error.Message}", error);
        }
    }
}
